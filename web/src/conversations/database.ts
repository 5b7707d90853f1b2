// Stores conversations in this browser's IndexedDB. None of them are stored on the server.
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Conversation, Message, Stats } from "./types";

interface Schema extends DBSchema {
  conversations: { key: string; value: Conversation };
  messages: { key: string; value: Message; indexes: { conversation: string } };
}

const VERSION = 1;
let opened: Promise<IDBPDatabase<Schema>> | undefined;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("localchat", VERSION, {
    upgrade(db) {
      db.createObjectStore("conversations", { keyPath: "id" });
      db.createObjectStore("messages", { keyPath: "id" }).createIndex("conversation", "conversationId");
    },
    // Another tab wants to upgrade: close, and reopen at the next use.
    blocking: (_current, _blocked, event) => {
      (event.target as IDBDatabase).close();
      opened = undefined;
    },
    terminated: () => {
      opened = undefined;
    },
  }).catch((error: unknown) => {
    // Retry at the next use: the disk may have space again, or the person may allow it.
    opened = undefined;
    throw error;
  });
  return opened;
}

/** In no particular order. Those that belong to nobody become `owner`'s. */
export async function listConversations(owner: string): Promise<Conversation[]> {
  const all = await (await database()).getAll("conversations");
  for (const one of all.filter((one) => !one.owner)) await put(Object.assign(one, { owner }));
  return all.filter((one) => one.owner === owner);
}

export async function getConversation(id: string): Promise<Conversation | undefined> {
  return (await database()).get("conversations", id);
}

export async function listMessages(conversationId: string): Promise<Message[]> {
  const found = await (await database()).getAllFromIndex("messages", "conversation", conversationId);
  return found.map(withCurrentNames).sort((one, other) => one.position - other.position);
}

/** As version 0.1 stored it: `figures` and `problem` are `stats` and `error` now. */
type StoredMessage = Message & { figures?: Stats; problem?: string };

function withCurrentNames({ figures, problem, ...message }: StoredMessage): Message {
  return { ...(figures && { stats: figures }), ...(problem && { error: problem }), ...message };
}

/** Both or neither. */
export async function put(conversation: Conversation, messages: readonly Message[] = []): Promise<void> {
  const transaction = (await database()).transaction(["conversations", "messages"], "readwrite");
  const stored = transaction.objectStore("messages");
  await Promise.all([
    transaction.objectStore("conversations").put(conversation),
    ...messages.map((message) => stored.put(message)),
    transaction.done,
  ]);
}

export async function removeMessages(ids: readonly string[]): Promise<void> {
  const transaction = (await database()).transaction("messages", "readwrite");
  await Promise.all([...ids.map((id) => transaction.store.delete(id)), transaction.done]);
}

export async function removeConversation(id: string): Promise<void> {
  const transaction = (await database()).transaction(["conversations", "messages"], "readwrite");
  const messages = transaction.objectStore("messages");
  for (const key of await messages.index("conversation").getAllKeys(id)) messages.delete(key);
  transaction.objectStore("conversations").delete(id);
  await transaction.done;
}

/** The conversations in which a message contains `text`, whatever its case. */
export async function findInMessages(text: string): Promise<Set<string>> {
  const wanted = text.toLowerCase();
  const found = new Set<string>();
  const { store } = (await database()).transaction("messages");
  for await (const { value } of store) {
    if (value.content.toLowerCase().includes(wanted)) found.add(value.conversationId);
  }
  return found;
}
