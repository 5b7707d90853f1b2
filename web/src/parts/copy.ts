// Copies to the clipboard, on pages without HTTPS too.

/** Returns whether it worked. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page at http://192.168.1.20:8000 has no navigator.clipboard.
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const place = document.createElement("textarea");
  place.value = text;
  place.className = "visually-hidden";
  // A modal dialog allows no selection outside it.
  (focused?.closest("dialog") ?? document.body).append(place);
  place.select();
  const isCopied = document.execCommand("copy");
  place.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}
