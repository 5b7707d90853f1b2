// Extracts what a model can read from a file: images as PNG or JPEG, text files as text, nothing from other types.
import type { Attachment } from "../conversations/types";

// Models do not look at more; larger images are scaled down, which also shortens the request.
const MAX_PIXELS = 2048;
const AS_THEY_ARE = ["image/png", "image/jpeg"];
const JPEG_QUALITY = 0.9;
// More is never sent: this exceeds half of any existing model's context length.
const MAX_TEXT_BYTES = 2_000_000;

/** How many characters a question's text files may have in total: about half of the context, which is in tokens. */
export const roomFor = (contextLength: number): number => contextLength * 2;

type Readable = Pick<Attachment, "text" | "image" | "leftOut">;

export async function read(file: File): Promise<Readable> {
  if (file.type.startsWith("image/") && file.type !== "image/svg+xml") return readImage(file);
  const text = await readText(file);
  if (text === undefined) return { leftOut: "The model can't read this type of file." };
  return { text };
}

async function readImage(file: File): Promise<Readable> {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = MAX_PIXELS / Math.max(bitmap.width, bitmap.height);
    if (scale >= 1 && AS_THEY_ARE.includes(file.type)) return { image: file };
    return { image: await drawn(bitmap, Math.min(scale, 1), file.type) };
  } catch {
    return { leftOut: "This browser can't read the image, so the model won't see it." };
  }
}

function drawn(bitmap: ImageBitmap, scale: number, type: string): Promise<Blob> {
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  // Other formats may be transparent.
  return canvas.convertToBlob(type === "image/jpeg" ? { type, quality: JPEG_QUALITY } : { type: "image/png" });
}

/** undefined if it is not text. */
async function readText(file: File): Promise<string | undefined> {
  const bytes = await file.slice(0, MAX_TEXT_BYTES).arrayBuffer();
  const isWhole = bytes.byteLength === file.size;
  const [first, second] = new Uint8Array(bytes);
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  try {
    const decoder = new TextDecoder(isUtf16 ? (first === 0xff ? "utf-16le" : "utf-16be") : "utf-8", { fatal: true });
    // `stream`, because the last character may be truncated.
    const text = decoder.decode(bytes, { stream: !isWhole });
    return text.includes("\0") || text.startsWith("%PDF-") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Truncates text files, the last ones first, so that together they fit; `leftOut` says how much was cut. */
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
  const remedy = "Increase the context length to fit more.";
  if (kept === 0) return `This text doesn't fit. ${remedy}`;
  return `Only the first ${kept.toLocaleString("en")} of ${all.toLocaleString("en")} characters fit. ${remedy}`;
}
