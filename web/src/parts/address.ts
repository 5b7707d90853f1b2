// Which conversation is shown: in the address after the #, so that a reload and the browser's back button keep it.
import { useSyncExternalStore } from "react";

const PREFIX = "#/c/";

const shown = (): string | null => (location.hash.startsWith(PREFIX) ? location.hash.slice(PREFIX.length) : null);

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

/** The conversation's id; null for a new one. */
export const useShown = (): string | null => useSyncExternalStore(subscribe, shown);

export const addressOf = (id: string | null): string => (id ? PREFIX + id : "#/");

export function show(id: string | null): void {
  location.hash = addressOf(id);
}

/** Without a way back to what is shown now. */
export function showInstead(id: string | null): void {
  location.replace(addressOf(id));
}
