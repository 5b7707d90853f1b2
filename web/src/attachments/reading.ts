// What of a file the model can be given: a picture as PNG or JPEG, a text as its characters, of anything else nothing.
import type { Attachment } from "../conversations/types";

// As large as models look at pictures; larger ones are made smaller, and take up less of the request.
const MAX_PIXELS = 2048;
const AS_THEY_ARE = ["image/png", "image/jpeg"];
const JPEG_QUALITY = 0.9;
// More is never sent: it is more than half of any context length there is.
const MAX_TEXT_BYTES = 2_000_000;

/** How many characters all texts of a question may have together, for a context of so many tokens: about half of it. */
export const roomFor = (contextLength: number): number => contextLength * 2;

type Readable = Pick<Attachment, "text" | "image" | "leftOut">;

export async function read(file: File): Promise<Readable> {
  if (file.type.startsWith("image/") && file.type !== "image/svg+xml") return readImage(file);
  const text = await readText(file);
  if (text === undefined) return { leftOut: "Kept as a file; the model is not given its content." };
  return { text };
}

async function readImage(file: File): Promise<Readable> {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = MAX_PIXELS / Math.max(bitmap.width, bitmap.height);
    if (scale >= 1 && AS_THEY_ARE.includes(file.type)) return { image: file };
    return { image: await drawn(bitmap, Math.min(scale, 1), file.type) };
  } catch {
    return { leftOut: "This browser cannot read the picture, so the model is not given it." };
  }
}

function drawn(bitmap: ImageBitmap, scale: number, type: string): Promise<Blob> {
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  // Others may be transparent.
  return canvas.convertToBlob(type === "image/jpeg" ? { type, quality: JPEG_QUALITY } : { type: "image/png" });
}

/** undefined if it is no text. */
async function readText(file: File): Promise<string | undefined> {
  const bytes = await file.slice(0, MAX_TEXT_BYTES).arrayBuffer();
  const isWhole = bytes.byteLength === file.size;
  const [first, second] = new Uint8Array(bytes);
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  try {
    const decoder = new TextDecoder(isUtf16 ? (first === 0xff ? "utf-16le" : "utf-16be") : "utf-8", { fatal: true });
    // `stream`: its last character may be cut in two.
    const text = decoder.decode(bytes, { stream: !isWhole });
    return text.includes("\0") || text.startsWith("%PDF-") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The texts cut so that together they fit, from the first to the last; and what was cut off, said. */
export function fitted<File extends Readable>(files: readonly File[], room: number): File[] {
  let left = room;
  return files.map((file) => {
    if (file.text === undefined) return file;
    const text = file.text.slice(0, left);
    left -= text.length;
    if (text.length === file.text.length) return file;
    return { ...file, text, leftOut: cutAt(text.length, file.text.length) };
  });
}

function cutAt(kept: number, all: number): string {
  const remedy = "For more, set a greater context length.";
  if (kept === 0) return `The model is not given its text: the context has no room left. ${remedy}`;
  return `The model is given the first ${kept.toLocaleString("en")} of ${all.toLocaleString("en")} characters. ${remedy}`;
}
