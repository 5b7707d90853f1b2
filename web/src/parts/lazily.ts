// Code that is fetched when it is first needed.
import { useEffect, useState } from "react";

export interface Lazy<Module> {
  load: () => Promise<Module>;
  loaded?: Module;
}

export const lazily = <Module>(load: () => Promise<Module>): Lazy<Module> => ({ load });

/** undefined: not yet there, or not to be had (after an update of the server, or without a network). */
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
