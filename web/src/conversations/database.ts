// Where conversations are kept: this browser's IndexedDB. Nothing of them is kept on the server.
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Conversation, Message } from "./types";

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
    // Another tab wants to upgrade: give way, and open the new one at the next use.
    blocking: (_current, _blocked, event) => {
      (event.target as IDBDatabase).close();
      opened = undefined;
    },
    terminated: () => {
      opened = undefined;
    },
  }).catch((error: unknown) => {
    // The next use may be luckier: the disk was full, or the person allows it now.
    opened = undefined;
    throw error;
  });
  return opened;
}

/** In no particular order. */
export async function listConversations(): Promise<Conversation[]> {
  return (await database()).getAll("conversations");
}

export async function getConversation(id: string): Promise<Conversation | undefined> {
  return (await database()).get("conversations", id);
}

export async function listMessages(conversationId: string): Promise<Message[]> {
  const found = await (await database()).getAllFromIndex("messages", "conversation", conversationId);
  return found.sort((one, other) => one.position - other.position);
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

/** The conversations in which somebody said `words`, whatever their case. */
export async function findInMessages(words: string): Promise<Set<string>> {
  const wanted = words.toLowerCase();
  const found = new Set<string>();
  const { store } = (await database()).transaction("messages");
  for await (const { value } of store) {
    if (value.content.toLowerCase().includes(wanted)) found.add(value.conversationId);
  }
  return found;
}
