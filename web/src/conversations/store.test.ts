import "fake-indexeddb/auto";
import { beforeEach, expect, it } from "vitest";
import { begin, end } from "../api/session";
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

/** As after a reload: only saved data is known. */
async function reloaded(id: string) {
  store.useConversations.setState({ list: null, messages: {} });
  await store.load();
  await store.open(id);
  return store.messagesOf(id).map(({ content }) => content);
}

const logIn = (id: string) => begin(`token of ${id}`, { id, email: `${id}@example.org` });
const titles = () => store.useConversations.getState().list?.map(({ title }) => title);

beforeEach(async () => {
  logIn("a");
  await store.load();
  for (const { id } of store.useConversations.getState().list ?? []) await store.remove(id);
});

it("keeps messages, and an answer as far as it was saved", async () => {
  const id = store.begin("How?");
  const draft = answer(id, "");
  await store.add(id, question(id, "How?"), draft);
  store.show({ ...draft, content: "So" });
  await store.save({ ...draft, content: "So" });
  store.show({ ...draft, content: "So and so" });
  expect(await reloaded(id)).toEqual(["How?", "So"]);
});

it("keeps questions asked before the list has been read", async () => {
  store.useConversations.setState({ list: null, messages: {} });
  const reading = store.load();
  const id = store.begin("How?");
  await reading;
  await store.add(id, question(id, "How?"));
  expect(await reloaded(id)).toEqual(["How?"]);
});

it("keeps a question asked while another tab announces a change", async () => {
  const other = store.begin("Other");
  await store.add(other, question(other, "Other"));
  new BroadcastChannel("localchat.conversations").postMessage(other);
  const id = store.begin("How?");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(store.conversation(id)).toBeDefined();
});

it("forgets deleted conversations, even during an answer", async () => {
  const id = store.begin("How?");
  const draft = answer(id, "So");
  await store.add(id, question(id, "How?"), draft);
  await store.remove(id);
  await store.save(draft);
  expect(await reloaded(id)).toEqual([]);
  expect(await database.listMessages(id)).toEqual([]);
});

it("shows how an answer ended that was saved by an older version", async () => {
  const id = store.begin("How?");
  const stats = { tokens: 1, tokensPerSecond: 2, secondsToFirstToken: 3 };
  const old = { ...answer(id, "So"), figures: stats, problem: "Out of memory." };
  await store.add(id, old);
  expect(await database.listMessages(id)).toMatchObject([{ content: "So", stats, error: "Out of memory." }]);
});

it("removes the messages from a position on", async () => {
  const id = store.begin("How?");
  await store.add(id, question(id, "How?"), answer(id, "So"));
  await store.cutFrom(id, 2);
  expect(await reloaded(id)).toEqual(["How?"]);
});

it("finds text in messages, ignoring case", async () => {
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

it("lists the last used first", async () => {
  const [one, other] = [store.begin("First"), store.begin("Second")];
  await store.add(other, question(other, "b"));
  await new Promise((resolve) => setTimeout(resolve, 2));
  await store.add(one, question(one, "a"));
  expect(store.useConversations.getState().list?.map(({ id }) => id)).toEqual([one, other]);
});

it("exports as Markdown, under a name valid on every system", () => {
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

it("shows each account its own", async () => {
  const id = store.begin("Mine");
  await store.add(id, question(id, "Mine"));
  end();
  expect(store.useConversations.getState()).toMatchObject({ list: null, messages: {} });
  logIn("b");
  await store.load();
  expect(titles()).toEqual([]);
  logIn("a");
  await store.load();
  expect(titles()).toEqual(["Mine"]);
});

it("gives what belongs to nobody to the account that logs in next", async () => {
  const old = { id: "old", title: "Old", updatedAt: 0, system: "", temperature: null, contextLength: null };
  await database.put(old);
  await store.load();
  expect(titles()).toEqual(["Old"]);
  logIn("b");
  await store.load();
  expect(titles()).toEqual([]);
});

it("deletes all of one account, and none of another", async () => {
  const id = store.begin("Mine");
  await store.add(id, question(id, "Mine"));
  logIn("b");
  await store.load();
  const other = store.begin("Theirs");
  await store.add(other, question(other, "Theirs"));
  await store.removeAll();
  expect(await database.listMessages(other)).toEqual([]);
  expect(titles()).toEqual([]);
  logIn("a");
  await store.load();
  expect(titles()).toEqual(["Mine"]);
});
