import { expect, it } from "vitest";

it("keeps the draft of an older version of the page", async () => {
  const old = { state: { drafts: { c: { words: "Half a question", files: [] } } }, version: 0 };
  sessionStorage.setItem("localchat.drafts", JSON.stringify(old));
  const { draftOf } = await import("./drafts");
  expect(draftOf("c")).toEqual({ text: "Half a question", files: [] });
});
