import { describe, expect, it } from "vitest";
import type { Attachment } from "../conversations/types";
import { fitted, read } from "./reading";

const file = (content: BlobPart, name = "a.txt", type = "text/plain") => new File([content], name, { type });

describe("read", () => {
  it("returns the text of a text file", async () => {
    expect(await read(file("Grüße"))).toEqual({ text: "Grüße" });
  });

  it("reads files from Windows editors", async () => {
    expect(await read(file(new Uint8Array([0xff, 0xfe, 0x41, 0, 0x42, 0])))).toEqual({ text: "AB" });
  });

  it.each([
    ["a PDF", "%PDF-1.7 …"],
    ["zeros", "a\0b"],
    ["what is not UTF-8", new Uint8Array([0x47, 0xfc, 0x72])],
  ])("says that it gives nothing of %s", async (_, content) => {
    expect(await read(file(content))).toHaveProperty("leftOut");
  });

  it("reports a picture that the browser cannot draw", async () => {
    expect(await read(file("no picture", "a.heic", "image/heic"))).toHaveProperty("leftOut");
  });
});

describe("fitted", () => {
  it("does not change files that fit", () => {
    const files = [{ text: "abc" }, { text: "de" }, { image: new Blob() }];
    expect(fitted(files, 5)).toEqual(files);
  });

  it("truncates the others, and says by how much", () => {
    const files: Pick<Attachment, "text" | "leftOut">[] = [{ text: "abc" }, { text: "defg" }, { text: "h" }];
    const [first, second, third] = fitted(files, 5);
    expect(first).toEqual({ text: "abc" });
    expect(second?.text).toBe("de");
    expect(second?.leftOut).toContain("first 2 of 4 characters");
    expect(third?.text).toBe("");
    expect(third?.leftOut).toContain("doesn't fit");
  });
});
