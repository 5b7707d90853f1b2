// Loads code when it is first needed.
import { useEffect, useState } from "react";

export interface Lazy<Module> {
  load: () => Promise<Module>;
  loaded?: Module;
}

export const lazily = <Module>(load: () => Promise<Module>): Lazy<Module> => ({ load });

/** undefined: not loaded yet, or unavailable (after a server update, or offline). */
export function useLoaded<Module>(code: Lazy<Module>): Module | undefined {
  const [module, setModule] = useState(code.loaded);
  useEffect(() => {
    if (code.loaded) return;
    let isWanted = true;
    code.load().then(
      (found) => {
        code.loaded = found;
        if (isWanted) setModule(() => found);
      },
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [code]);
  return module;
}
