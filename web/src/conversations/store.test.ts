import "fake-indexeddb/auto";
import { beforeEach, expect, it } from "vitest";
import * as database from "./database";
import { asMarkdown, fileName } from "./export";
import * as store from "./store";
import type { Answer, Question } from "./types";

const question = (id: string, content: string): Question => ({
  role: "user",
  id: store.newId(),
  conversationId: id,
  position: 1,
  content,
  attachments: [],
});

const answer = (id: string, content: string): Answer => ({
  role: "assistant",
  id: store.newId(),
  conversationId: id,
  position: 2,
  model: "some:model",
  content,
  thinking: "",
  state: "writing",
});

/** As after a reload: nothing is known but what was saved. */
async function reloaded(id: string) {
  store.useConversations.setState({ list: null, messages: {} });
  await store.load();
  await store.open(id);
  return store.messagesOf(id).map(({ content }) => content);
}

beforeEach(async () => {
  await store.load();
  for (const { id } of store.useConversations.getState().list ?? []) await store.remove(id);
});

it("keeps what was said, and an answer as far as it was saved", async () => {
  const id = store.begin("How?");
  const draft = answer(id, "");
  await store.add(id, question(id, "How?"), draft);
  store.show({ ...draft, content: "So" });
  await store.save({ ...draft, content: "So" });
  store.show({ ...draft, content: "So and so" });
  expect(await reloaded(id)).toEqual(["How?", "So"]);
});

it("keeps what is asked before the list has been read", async () => {
  store.useConversations.setState({ list: null, messages: {} });
  const reading = store.load();
  const id = store.begin("How?");
  await reading;
  await store.add(id, question(id, "How?"));
  expect(await reloaded(id)).toEqual(["How?"]);
});

it("keeps what is asked while another tab says something", async () => {
  const other = store.begin("Other");
  await store.add(other, question(other, "Other"));
  new BroadcastChannel("localchat.conversations").postMessage(other);
  const id = store.begin("How?");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(store.conversation(id)).toBeDefined();
});

it("forgets what is deleted, an answer that is still being written too", async () => {
  const id = store.begin("How?");
  const draft = answer(id, "So");
  await store.add(id, question(id, "How?"), draft);
  await store.remove(id);
  await store.save(draft);
  expect(await reloaded(id)).toEqual([]);
  expect(await database.listMessages(id)).toEqual([]);
});

it("cuts off what is asked again", async () => {
  const id = store.begin("How?");
  await store.add(id, question(id, "How?"), answer(id, "So"));
  await store.cutFrom(id, 2);
  expect(await reloaded(id)).toEqual(["How?"]);
});

it("finds words in messages, whatever their case", async () => {
  const [one, other] = [store.begin("First"), store.begin("Second")];
  await store.add(one, question(one, "About the Sea"));
  await store.add(other, question(other, "About hills"));
  expect(await database.findInMessages("sEA")).toEqual(new Set([one]));
});

it("gives the next conversation the same options, but no system prompt", async () => {
  await store.changeSettings(null, { system: "Be brief.", temperature: 0.5, contextLength: null });
  const id = store.begin("How?");
  expect(store.conversation(id)).toMatchObject({ system: "Be brief.", temperature: 0.5 });
  expect(store.useConversations.getState().next).toMatchObject({ system: "", temperature: 0.5 });
});

it("puts the last used first", async () => {
  const [one, other] = [store.begin("First"), store.begin("Second")];
  await store.add(other, question(other, "b"));
  await new Promise((resolve) => setTimeout(resolve, 2));
  await store.add(one, question(one, "a"));
  expect(store.useConversations.getState().list?.map(({ id }) => id)).toEqual([one, other]);
});

it("exports as Markdown, under a name that every system takes", () => {
  const conversation = {
    id: "c",
    title: 'What is "a/b"?',
    updatedAt: 0,
    system: "Be\nbrief.",
    temperature: null,
    contextLength: null,
  };
  const asked = { ...question("c", "How?"), attachments: [{ name: "a.txt", size: 1, downloadPath: "/files/x_a.txt" }] };
  expect(asMarkdown(conversation, [asked, answer("c", "So.")])).toBe(
    '# What is "a/b"?\n\n> Be\n> brief.\n\n## You\n\nHow?\n\n- a.txt (`/files/x_a.txt`)\n\n## some:model\n\nSo.\n',
  );
  expect(fileName(conversation)).toBe("What-is-a-b.md");
  expect(fileName({ ...conversation, title: "???" })).toBe("conversation.md");
});
