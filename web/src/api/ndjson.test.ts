import { expect, it } from "vitest";
import { linesOf } from "./ndjson";

function streamOf(...pieces: Uint8Array<ArrayBuffer>[]) {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
    cancel() {
      isCancelled = true;
    },
  });
  return { body, isCancelled: () => isCancelled };
}

const bytes = (text: string) => new TextEncoder().encode(text);

async function read(...pieces: Uint8Array<ArrayBuffer>[]): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const line of linesOf(streamOf(...pieces).body)) lines.push(line);
  return lines;
}

it("reads lines however they are split, even inside a character", async () => {
  const all = bytes('{"a":"ä"}\n{"b":2}\n');
  for (let cut = 0; cut <= all.length; cut += 1) {
    expect(await read(all.slice(0, cut), all.slice(cut))).toEqual([{ a: "ä" }, { b: 2 }]);
  }
});

it("reads an unterminated last line, and skips empty ones", async () => {
  expect(await read(bytes('{"a":1}\n\n\r\n{"b":2}'))).toEqual([{ a: 1 }, { b: 2 }]);
});

it("raises for a truncated line", async () => {
  await expect(read(bytes('{"a":1}\n{"b"'))).rejects.toThrow(SyntaxError);
});

it("yields the first line before the second arrives", async () => {
  let next: (text: string) => void = () => undefined;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      next = (text) => controller.enqueue(bytes(text));
    },
  });
  const lines = linesOf(body);
  next('{"a":1}\n');
  expect(await lines.next()).toEqual({ done: false, value: { a: 1 } });
});
