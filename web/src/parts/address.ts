// What the URL's fragment names: the open conversation, so that it survives reloads and the back button works; an
// invitation, or a sign-in that comes back from the identity provider.
import { useSyncExternalStore } from "react";

const CONVERSATION = "#/c/";

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

/** What follows `prefix` in the fragment; null where it begins otherwise. */
export const useAfter = (prefix: string): string | null =>
  useSyncExternalStore(subscribe, () => (location.hash.startsWith(prefix) ? location.hash.slice(prefix.length) : null));

/** The conversation's id; null for a new one. */
export const useShown = (): string | null => useAfter(CONVERSATION);

export const addressOf = (id: string | null): string => (id ? CONVERSATION + id : "#/");

export function show(id: string | null): void {
  location.hash = addressOf(id);
}

/** Replaces the current history entry. */
export function showInstead(id: string | null): void {
  location.replace(addressOf(id));
}
