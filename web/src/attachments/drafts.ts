// What is about to be asked, by conversation: words and files, the files on their way to the server at once.
import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";
import { upload } from "../api/client";
import { isAbort, messageOf } from "../api/errors";
import { newId } from "../conversations/store";
import type { Attachment, Question } from "../conversations/types";
import { read } from "./reading";

/** A file of a draft. It can be asked with when it has a `downloadPath`. */
export interface Pending extends Omit<Attachment, "downloadPath"> {
  id: string;
  /** Not of a file that was part of the question before. */
  file?: File;
  downloadPath?: string;
  /** Sent so far, 0 to 1. */
  progress: number;
  problem?: string;
}

export interface Draft {
  words: string;
  files: Pending[];
  /** The question that this one is to replace. */
  insteadOf?: Question;
}

/** The key of the draft of a conversation that has not begun. */
export const NEW = "new";
const EMPTY: Draft = { words: "", files: [] };

const uploads = new Map<string, AbortController>();

export const useDrafts = create(
  persist<{ drafts: Record<string, Draft> }>(() => ({ drafts: {} }), {
    name: "localchat.drafts",
    // The words survive a reload; files would have to be chosen again.
    storage: createJSONStorage(() => sessionStorage),
    partialize: ({ drafts }) => ({
      drafts: Object.fromEntries(Object.entries(drafts).map(([key, { words }]) => [key, { words, files: [] }])),
    }),
  }),
);

export const draftOf = (key: string): Draft => useDrafts.getState().drafts[key] ?? EMPTY;
export const useDraft = (key: string): Draft => useDrafts(({ drafts }) => drafts[key] ?? EMPTY);

export function change(key: string, changes: Partial<Draft>): void {
  useDrafts.setState(({ drafts }) => ({ drafts: { ...drafts, [key]: { ...(drafts[key] ?? EMPTY), ...changes } } }));
}

/** Forgets it; its uploads are cancelled. */
export function discard(key: string): void {
  for (const { id } of draftOf(key).files) cancel(id);
  useDrafts.setState(({ drafts: { [key]: _, ...drafts } }) => ({ drafts }));
}

/** A question is to be asked in other words. */
export function edit(question: Question): void {
  const files = question.attachments.map((attachment) => ({ ...attachment, id: newId(), progress: 1 }));
  discard(question.conversationId);
  change(question.conversationId, { words: question.content, files, insteadOf: question });
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
  changeFile(key, id, { problem: undefined, progress: 0 });
  try {
    const [readable, { download_path }] = await Promise.all([
      read(file),
      upload(file, (progress) => changeFile(key, id, { progress }), controller.signal),
    ]);
    changeFile(key, id, { ...readable, downloadPath: download_path, progress: 1 });
  } catch (error) {
    if (!isAbort(error)) changeFile(key, id, { problem: messageOf(error) });
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
