// The conversations that the page shows. Each change is written to the database at once and announced to other tabs.
import { create } from "zustand";
import { me } from "../api/client";
import { messageOf } from "../api/errors";
import { identify, useSession } from "../api/session";
import * as database from "./database";
import type { Conversation, Message, Settings } from "./types";

interface Conversations {
  /** null until read. Last used first. */
  list: Conversation[] | null;
  /** By conversation, for those that were opened. */
  messages: Record<string, Message[]>;
  /** The conversations that this tab is writing an answer into. */
  answering: readonly string[];
  /** The settings of the next conversation. */
  next: Settings;
  /** Why the last change could not be saved. */
  error: string | null;
}

const TITLE_LENGTH = 60;
const OPTIONS = "localchat.options";

const nothing = (): Conversations => ({
  list: null,
  messages: {},
  answering: [],
  next: rememberedOptions(),
  error: null,
});

export const useConversations = create<Conversations>(nothing);

const { getState, setState } = useConversations;
const otherTabs = new BroadcastChannel("localchat.conversations");
// Without a database, other tabs' changes are not seen.
otherTabs.onmessage = ({ data }: MessageEvent<string>) => void reload(data).catch(() => undefined);

// Each account sees its own.
const owner = (): string | null => useSession.getState().account;
useSession.subscribe(({ account }, before) => {
  if (before.account && account !== before.account) setState(nothing());
});

export async function load(): Promise<void> {
  await withDatabase(async () => {
    if (!owner()) identify(await me());
    const found = await database.listConversations(owner() ?? "");
    const ids = new Set(found.map(({ id }) => id));
    // Keep those that were started while the list was being read.
    setState(({ list }) => ({ list: inOrder([...(list ?? []).filter(({ id }) => !ids.has(id)), ...found]) }));
  }, "Couldn't load your conversations from this browser");
  // Without a database the page still works, but keeps nothing.
  setState(({ list }) => ({ list: list ?? [] }));
}

/** Reads the messages unless they are already loaded. */
export async function open(id: string): Promise<void> {
  if (getState().messages[id]) return;
  const messages = await database.listMessages(id).catch(() => []);
  setState((state) => ({ messages: { [id]: messages, ...state.messages } }));
}

export const conversation = (id: string): Conversation | undefined =>
  getState().list?.find((candidate) => candidate.id === id);

export const messagesOf = (id: string): Message[] => getState().messages[id] ?? [];

/** Starts a conversation titled after `question` and returns its id. It is saved with its first message. */
export function begin(question: string): string {
  // Otherwise the browser may evict it when the disk is full.
  void navigator.storage?.persist?.();
  const id = newId();
  const title = question.trim().replace(/\s+/g, " ").slice(0, TITLE_LENGTH) || "Files";
  const account = owner();
  setState(({ list, messages, next }) => ({
    list: [{ id, ...(account && { owner: account }), title, updatedAt: Date.now(), ...next }, ...(list ?? [])],
    messages: { ...messages, [id]: [] },
    next: { ...next, system: "" },
  }));
  return id;
}

/** Appends and saves messages. */
export async function add(id: string, ...added: Message[]): Promise<void> {
  changeMessages(id, (all) => [...all, ...added]);
  await change(id, { updatedAt: Date.now() }, added);
}

export function setAnswering(id: string, is: boolean): void {
  setState(({ answering }) => ({ answering: is ? [...answering, id] : answering.filter((other) => other !== id) }));
}

/** Updates a message on the page only; `save` writes it to the database. */
export function show(message: Message): void {
  changeMessages(message.conversationId, (all) => all.map((one) => (one.id === message.id ? message : one)));
}

export async function save(message: Message): Promise<void> {
  const id = message.conversationId;
  // It may have been deleted since.
  if (messagesOf(id).some((one) => one.id === message.id)) await change(id, {}, [message]);
}

/** Removes the messages from `position` on. */
export async function cutFrom(id: string, position: number): Promise<void> {
  const gone = messagesOf(id).filter((message) => message.position >= position);
  changeMessages(id, (all) => all.filter((message) => !gone.includes(message)));
  await withDatabase(() => database.removeMessages(gone.map((message) => message.id)));
}

export const rename = (id: string, title: string): Promise<void> => change(id, { title });

export const settingsOf = ({ list, next }: Conversations, id: string | null): Settings =>
  list?.find((candidate) => candidate.id === id) ?? next;

/** Of a conversation, or of the next one (null). New conversations take over the options, but not the system prompt. */
export async function changeSettings(id: string | null, settings: Settings): Promise<void> {
  localStorage.setItem(OPTIONS, JSON.stringify({ ...settings, system: "" }));
  setState(({ next }) => ({ next: id ? { ...settings, system: next.system } : settings }));
  if (id) await change(id, settings);
}

export async function remove(id: string): Promise<void> {
  setState(({ list, messages: { [id]: _, ...messages } }) => ({
    list: (list ?? []).filter((candidate) => candidate.id !== id),
    messages,
  }));
  await withDatabase(() => database.removeConversation(id));
  otherTabs.postMessage(id);
}

/** All of the account's. Raises if they could not be deleted. */
export async function removeAll(): Promise<void> {
  const own = await database.listConversations(owner() ?? "");
  setState({ list: [], messages: {} });
  for (const { id } of own) await database.removeConversation(id);
}

export const newId = (): string =>
  // crypto.randomUUID needs HTTPS or localhost, and this may be http://192.168.1.20:8000.
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");

function changeMessages(id: string, changed: (all: Message[]) => Message[]): void {
  // It may have been deleted, or its account logged out.
  if (!conversation(id)) return;
  setState(({ messages }) => ({ messages: { ...messages, [id]: changed(messages[id] ?? []) } }));
}

async function change(id: string, changes: Partial<Conversation>, messages: readonly Message[] = []): Promise<void> {
  const found = conversation(id);
  if (!found) return;
  const changed = { ...found, ...changes };
  setState(({ list }) => ({ list: inOrder((list ?? []).map((one) => (one.id === id ? changed : one))) }));
  await withDatabase(() => database.put(changed, messages));
  otherTabs.postMessage(id);
}

function rememberedOptions(): Settings {
  const asTheyAre: Settings = { system: "", temperature: null, contextLength: null };
  try {
    return { ...asTheyAre, ...(JSON.parse(localStorage.getItem(OPTIONS) ?? "{}") as Partial<Settings>) };
  } catch {
    return asTheyAre;
  }
}

const inOrder = (list: Conversation[]): Conversation[] =>
  list.toSorted((one, other) => other.updatedAt - one.updatedAt);

async function withDatabase(
  access: () => Promise<void>,
  failure = "Couldn't save this conversation in your browser",
): Promise<void> {
  try {
    await access();
    setState({ error: null });
  } catch (error) {
    setState({ error: `${failure}: ${messageOf(error)}` });
  }
}

// Another tab changed this conversation. The others stay as they are: their changes may not be saved yet.
async function reload(id: string): Promise<void> {
  const changed = await database.getConversation(id);
  if (changed && changed.owner !== owner()) return;
  const messages = await database.listMessages(id);
  setState((state) => {
    if (!state.list) return state;
    const list = inOrder([...state.list.filter((one) => one.id !== id), ...(changed ? [changed] : [])]);
    // While this tab is answering, its copy is newer than the database's.
    const isShown = id in state.messages && !state.answering.includes(id);
    return { list, messages: isShown ? { ...state.messages, [id]: messages } : state.messages };
  });
}
