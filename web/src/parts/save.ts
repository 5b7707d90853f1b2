// Saves a file from the page to disk.

const RELEASED_AFTER_MILLISECONDS = 60_000;

export function saveAs(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser may still be reading from it.
  window.setTimeout(() => URL.revokeObjectURL(address), RELEASED_AFTER_MILLISECONDS);
}
