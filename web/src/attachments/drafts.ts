// Unsent messages, by conversation: text and files. Files are uploaded as soon as they are attached.
import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";
import { upload } from "../api/client";
import { isAbort, messageOf } from "../api/errors";
import { useSession } from "../api/session";
import { newId } from "../conversations/store";
import type { Attachment, Question } from "../conversations/types";
import { read } from "./reading";

/** A file attached to a draft. It can be sent once it has a `downloadPath`. */
export interface Pending extends Omit<Attachment, "downloadPath"> {
  id: string;
  /** Missing when an edited question brought the file along. */
  file?: File;
  downloadPath?: string;
  /** Sent so far, 0 to 1. */
  progress: number;
  error?: string;
}

export interface Draft {
  text: string;
  files: Pending[];
  /** The question that this draft replaces. */
  insteadOf?: Question;
}

/** The draft's key before its conversation exists. */
export const NEW = "new";
const EMPTY: Draft = { text: "", files: [] };

const uploads = new Map<string, AbortController>();

export const useDrafts = create(
  persist<{ drafts: Record<string, Draft> }>(() => ({ drafts: {} }), {
    name: "localchat.drafts",
    // The text survives a reload; files would have to be chosen again.
    storage: createJSONStorage(() => sessionStorage),
    version: 1,
    // In version 0 the text was `words`.
    migrate: (stored) => {
      const { drafts } = stored as { drafts: Record<string, { words: string }> };
      return { drafts: mapped(drafts, ({ words }) => ({ text: words, files: [] })) };
    },
    partialize: ({ drafts }) => ({
      drafts: mapped(drafts, ({ text }) => ({ text, files: [] })),
    }),
  }),
);

function mapped<Old, New>(all: Record<string, Old>, change: (one: Old) => New): Record<string, New> {
  return Object.fromEntries(Object.entries(all).map(([key, one]) => [key, change(one)]));
}

// The next person finds none of them.
useSession.subscribe(({ account }, before) => {
  if (before.account && account !== before.account)
    for (const key of Object.keys(useDrafts.getState().drafts)) discard(key);
});

export const draftOf = (key: string): Draft => useDrafts.getState().drafts[key] ?? EMPTY;
export const useDraft = (key: string): Draft => useDrafts(({ drafts }) => drafts[key] ?? EMPTY);

export function change(key: string, changes: Partial<Draft>): void {
  useDrafts.setState(({ drafts }) => ({ drafts: { ...drafts, [key]: { ...(drafts[key] ?? EMPTY), ...changes } } }));
}

/** Cancels its uploads too. */
export function discard(key: string): void {
  for (const { id } of draftOf(key).files) cancel(id);
  useDrafts.setState(({ drafts: { [key]: _, ...drafts } }) => ({ drafts }));
}

/** Opens a question for editing. */
export function edit(question: Question): void {
  const files = question.attachments.map((attachment) => ({ ...attachment, id: newId(), progress: 1 }));
  discard(question.conversationId);
  change(question.conversationId, { text: question.content, files, insteadOf: question });
}

export function attach(key: string, files: Iterable<File>): void {
  for (const file of files) {
    const pending: Pending = { id: newId(), file, name: file.name, size: file.size, progress: 0 };
    change(key, { files: [...draftOf(key).files, pending] });
    void send(key, pending.id, file);
  }
}

export function detach(key: string, id: string): void {
  cancel(id);
  change(key, { files: draftOf(key).files.filter((file) => file.id !== id) });
}

export async function send(key: string, id: string, file: File): Promise<void> {
  const controller = new AbortController();
  uploads.set(id, controller);
  changeFile(key, id, { error: undefined, progress: 0 });
  try {
    const [readable, { download_path }] = await Promise.all([
      read(file),
      upload(file, (progress) => changeFile(key, id, { progress }), controller.signal),
    ]);
    changeFile(key, id, { ...readable, downloadPath: download_path, progress: 1 });
  } catch (error) {
    if (!isAbort(error)) changeFile(key, id, { error: messageOf(error) });
  }
  uploads.delete(id);
}

function cancel(id: string): void {
  uploads.get(id)?.abort();
}

function changeFile(key: string, id: string, changes: { [Name in keyof Pending]?: Pending[Name] | undefined }): void {
  const files = draftOf(key).files.map((file) => (file.id === id ? ({ ...file, ...changes } as Pending) : file));
  change(key, { files });
}
