// The conversations as the page shows them; each change is written to the database at once, and other tabs are told.
import { create } from "zustand";
import { messageOf } from "../api/errors";
import * as database from "./database";
import type { Conversation, Message, Settings } from "./types";

interface Conversations {
  /** null until they are read. The last used first. */
  list: Conversation[] | null;
  /** By conversation; of those that were opened. */
  messages: Record<string, Message[]>;
  /** The conversations that this tab is writing an answer into. */
  answering: readonly string[];
  /** What the next conversation begins with. */
  next: Settings;
  /** Why the last change could not be saved. */
  problem: string | null;
}

const TITLE_LENGTH = 60;
const OPTIONS = "localchat.options";

export const useConversations = create<Conversations>(() => ({
  list: null,
  messages: {},
  answering: [],
  next: rememberedOptions(),
  problem: null,
}));

const { getState, setState } = useConversations;
const otherTabs = new BroadcastChannel("localchat.conversations");
// Without a database nothing is seen of other tabs.
otherTabs.onmessage = ({ data }: MessageEvent<string>) => void reload(data).catch(() => undefined);

export async function load(): Promise<void> {
  await saving(async () => {
    const found = await database.listConversations();
    const ids = new Set(found.map(({ id }) => id));
    // One that was begun meanwhile is not among them.
    setState(({ list }) => ({ list: inOrder([...(list ?? []).filter(({ id }) => !ids.has(id)), ...found]) }));
  });
  // Without a database the page still works; it forgets.
  setState(({ list }) => ({ list: list ?? [] }));
}

/** Reads the messages, unless they are there. */
export async function open(id: string): Promise<void> {
  if (getState().messages[id]) return;
  const messages = await database.listMessages(id).catch(() => []);
  setState((state) => ({ messages: { [id]: messages, ...state.messages } }));
}

export const conversation = (id: string): Conversation | undefined =>
  getState().list?.find((candidate) => candidate.id === id);

export const messagesOf = (id: string): Message[] => getState().messages[id] ?? [];

/** A conversation that begins with `question`; → its id. It is saved with its first message. */
export function begin(question: string): string {
  // The browser may otherwise clear it when the disk is full.
  void navigator.storage?.persist?.();
  const id = newId();
  const title = question.trim().replace(/\s+/g, " ").slice(0, TITLE_LENGTH) || "Files";
  setState(({ list, messages, next }) => ({
    list: [{ id, title, updatedAt: Date.now(), ...next }, ...(list ?? [])],
    messages: { ...messages, [id]: [] },
    next: { ...next, system: "" },
  }));
  return id;
}

/** Adds messages at the end, and saves them. */
export async function add(id: string, ...added: Message[]): Promise<void> {
  changeMessages(id, (all) => [...all, ...added]);
  await change(id, { updatedAt: Date.now() }, added);
}

export function setAnswering(id: string, is: boolean): void {
  setState(({ answering }) => ({ answering: is ? [...answering, id] : answering.filter((other) => other !== id) }));
}

/** Shows a message as it is now. It is not saved yet: that is for `save`, now and then. */
export function show(message: Message): void {
  changeMessages(message.conversationId, (all) => all.map((one) => (one.id === message.id ? message : one)));
}

export async function save(message: Message): Promise<void> {
  const id = message.conversationId;
  // Not if it has been deleted meanwhile.
  if (messagesOf(id).some((one) => one.id === message.id)) await change(id, {}, [message]);
}

/** Takes away the messages from `position` on. */
export async function cutFrom(id: string, position: number): Promise<void> {
  const gone = messagesOf(id).filter((message) => message.position >= position);
  changeMessages(id, (all) => all.filter((message) => !gone.includes(message)));
  await saving(() => database.removeMessages(gone.map((message) => message.id)));
}

export const rename = (id: string, title: string): Promise<void> => change(id, { title });

export const settingsOf = ({ list, next }: Conversations, id: string | null): Settings =>
  list?.find((candidate) => candidate.id === id) ?? next;

/** Of a conversation, or of the next one (null). The next gets the same options in any case, but no system prompt. */
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
  await saving(() => database.removeConversation(id));
  otherTabs.postMessage(id);
}

export const newId = (): string =>
  // crypto.randomUUID is for HTTPS and localhost alone, and this may be http://192.168.1.20:8000.
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");

function changeMessages(id: string, changed: (all: Message[]) => Message[]): void {
  setState(({ messages }) => ({ messages: { ...messages, [id]: changed(messages[id] ?? []) } }));
}

async function change(id: string, changes: Partial<Conversation>, messages: readonly Message[] = []): Promise<void> {
  const found = conversation(id);
  if (!found) return;
  const changed = { ...found, ...changes };
  setState(({ list }) => ({ list: inOrder((list ?? []).map((one) => (one.id === id ? changed : one))) }));
  await saving(() => database.put(changed, messages));
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

async function saving(write: () => Promise<void>): Promise<void> {
  try {
    await write();
    setState({ problem: null });
  } catch (error) {
    setState({ problem: `This browser does not keep conversations: ${messageOf(error)}` });
  }
}

// Another tab changed this one. The rest stays as it is: some of it may not be in the database yet.
async function reload(id: string): Promise<void> {
  const changed = await database.getConversation(id);
  const messages = await database.listMessages(id);
  setState((state) => {
    if (!state.list) return state;
    const list = inOrder([...state.list.filter((one) => one.id !== id), ...(changed ? [changed] : [])]);
    // An answer that this tab is writing is further than the database.
    const isShown = id in state.messages && !state.answering.includes(id);
    return { list, messages: isShown ? { ...state.messages, [id]: messages } : state.messages };
  });
}
