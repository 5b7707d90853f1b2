// Whether the screen is too narrow for the list of conversations beside the open one.
import { useSyncExternalStore } from "react";

const NARROW = matchMedia("(max-width: 50rem)");

function subscribe(changed: () => void): () => void {
  NARROW.addEventListener("change", changed);
  return () => NARROW.removeEventListener("change", changed);
}

export const useIsNarrow = (): boolean => useSyncExternalStore(subscribe, () => NARROW.matches);
