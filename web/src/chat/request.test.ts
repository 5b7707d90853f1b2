import { describe, expect, it } from "vitest";
import type { Model } from "../api/types";
import type { Answer, Attachment, Conversation, Question } from "../conversations/types";
import { requestFor, seenBy } from "./request";

const model: Model = { name: "some:model", size: 1, details: {}, capabilities: ["completion", "vision"] };
const blind: Model = { ...model, capabilities: ["completion"] };
const conversation: Conversation = {
  id: "c",
  title: "t",
  updatedAt: 0,
  system: "",
  temperature: null,
  contextLength: null,
};

const question = (content: string, ...attachments: Partial<Attachment>[]): Question => ({
  role: "user",
  id: content,
  conversationId: "c",
  position: 1,
  content,
  attachments: attachments.map((attachment) => ({ name: "a.txt", size: 1, downloadPath: "/files/a", ...attachment })),
});

const answer = (content: string, thinking = ""): Answer => ({
  role: "assistant",
  id: content,
  conversationId: "c",
  position: 2,
  model: "some:model",
  content,
  thinking,
  state: "complete",
});

describe("requestFor", () => {
  it("sends the conversation without the thinking and without empty answers", async () => {
    const said = [question("one"), answer("two", "hm"), question("three"), answer(""), question("four")];
    const { messages } = await requestFor(conversation, said, model);
    expect(messages).toEqual([
      { role: "user", content: "one" },
      { role: "assistant", content: "two" },
      { role: "user", content: "three" },
      { role: "user", content: "four" },
    ]);
  });

  it("omits unset options, and sends a temperature of 0", async () => {
    expect((await requestFor(conversation, [], model)).options).toEqual({});
    const settings = { ...conversation, temperature: 0, contextLength: 8192, system: "Be brief." };
    const request = await requestFor(settings, [], model);
    expect(request.options).toEqual({ temperature: 0, num_ctx: 8192 });
    expect(request.messages).toEqual([{ role: "system", content: "Be brief." }]);
  });

  it("puts text files into the message, in a fence longer than any inside", async () => {
    const text = "a ```` b";
    const { messages } = await requestFor(conversation, [question("read", { name: "x.md", text })], model);
    expect(messages[0]?.content).toBe(`read\n\nFile x.md:\n\`\`\`\`\`\n${text}\n\`\`\`\`\``);
  });

  it("sends images as plain base64 to a vision model", async () => {
    const image = new Blob(["hello"], { type: "image/png" });
    const asked = [question("what is it?", { image })];
    expect((await requestFor(conversation, asked, model)).messages[0]?.images).toEqual(["aGVsbG8="]);
    expect((await requestFor(conversation, asked, blind)).messages[0]).not.toHaveProperty("images");
  });
});

it("marks the images that the model can't see, again for another model", () => {
  const attachments = [{ image: new Blob() }, { text: "t", leftOut: "cut" }];
  const unseen = seenBy(blind, attachments);
  expect(unseen[0]?.leftOut).toContain("some:model can't see images");
  expect(unseen[1]).toEqual(attachments[1]);
  expect(seenBy(model, unseen)[0]).not.toHaveProperty("leftOut");
});
