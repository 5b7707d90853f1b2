// Asks the model, and writes the streamed answer into the conversation.
import { chat } from "../api/client";
import { isAbort, messageOf } from "../api/errors";
import { useSession } from "../api/session";
import type { ChatChunk, Model } from "../api/types";
import * as conversations from "../conversations/store";
import type { Answer, Attachment, Question, Stats } from "../conversations/types";
import { refresh } from "./models";
import { requestFor, seenBy } from "./request";

const MILLISECONDS_BETWEEN_SAVES = 1000;
const MILLISECONDS_WHEN_HIDDEN = 250;

const running = new Map<string, AbortController>();
// Stop answering in conversations that were deleted, in this tab or another.
conversations.useConversations.subscribe(({ list }) => {
  for (const id of running.keys()) if (!list?.some((one) => one.id === id)) stop(id);
});

// Logging out stops every answer.
useSession.subscribe(({ token }) => {
  if (!token) for (const controller of running.values()) controller.abort();
});

/** Adds the question to the conversation and answers it. */
export async function ask(id: string, model: Model, content: string, attachments: Attachment[]): Promise<void> {
  const question: Question = {
    role: "user",
    id: conversations.newId(),
    conversationId: id,
    position: nextPosition(id),
    content,
    attachments: seenBy(model, attachments),
  };
  await conversations.add(id, question);
  await answer(id, model);
}

/** Replaces the last question and everything after it. */
export async function askInstead(
  question: Question,
  model: Model,
  content: string,
  attachments: Attachment[],
): Promise<void> {
  stop(question.conversationId);
  await conversations.cutFrom(question.conversationId, question.position);
  await ask(question.conversationId, model, content, attachments);
}

/** Another answer to the same question. */
export async function retry({ conversationId: id, position }: Answer, model: Model): Promise<void> {
  stop(id);
  await conversations.cutFrom(id, position);
  const question = conversations.messagesOf(id).at(-1);
  if (question?.role === "user") {
    const again = { ...question, attachments: seenBy(model, question.attachments) };
    conversations.show(again);
    await conversations.save(again);
  }
  await answer(id, model);
}

/** Closes the connection, which frees the GPU. */
export function stop(id: string): void {
  running.get(id)?.abort();
}

async function answer(id: string, model: Model): Promise<void> {
  const conversation = conversations.conversation(id);
  if (!conversation) return;
  const controller = new AbortController();
  running.set(id, controller);
  conversations.setAnswering(id, true);
  const request = requestFor(conversation, conversations.messagesOf(id), model);
  const draft = new Draft(emptyAnswer(id, model));
  try {
    await conversations.add(id, draft.answer);
    for await (const chunk of chat(await request, controller.signal)) draft.write(chunk);
  } catch (error) {
    draft.end(isAbort(error) ? { state: "stopped" } : { state: "failed", error: messageOf(error) });
    if (!isAbort(error)) void refresh();
  }
  // Unless another answer has replaced it.
  if (running.get(id) === controller) {
    running.delete(id);
    conversations.setAnswering(id, false);
  }
  await draft.save();
}

const emptyAnswer = (id: string, model: Model): Answer => ({
  role: "assistant",
  id: conversations.newId(),
  conversationId: id,
  position: nextPosition(id),
  model: model.name,
  content: "",
  thinking: "",
  state: "waiting",
});

const nextPosition = (id: string): number => (conversations.messagesOf(id).at(-1)?.position ?? 0) + 1;

/** An answer being streamed: shown at most once per frame, saved at most once per second. */
class Draft {
  answer: Answer;
  #isToBeShown = false;
  #saving: number | undefined;

  constructor(answer: Answer) {
    this.answer = answer;
  }

  write(chunk: ChatChunk): void {
    const { content, thinking } = this.answer;
    this.answer = {
      ...this.answer,
      state: "writing",
      content: content + (chunk.message?.content ?? ""),
      thinking: thinking + (chunk.message?.thinking ?? ""),
    };
    if (chunk.done) this.end({ state: "complete", ...endOf(chunk) });
    else this.#showSoon();
    this.#saving ??= window.setTimeout(() => void this.save(), MILLISECONDS_BETWEEN_SAVES);
  }

  end(changes: Partial<Answer>): void {
    this.answer = { ...this.answer, ...changes };
    conversations.show(this.answer);
  }

  async save(): Promise<void> {
    window.clearTimeout(this.#saving);
    this.#saving = undefined;
    await conversations.save(this.answer);
  }

  #showSoon(): void {
    if (this.#isToBeShown) return;
    this.#isToBeShown = true;
    const show = () => {
      this.#isToBeShown = false;
      conversations.show(this.answer);
    };
    // Hidden tabs have no frames.
    if (document.hidden) window.setTimeout(show, MILLISECONDS_WHEN_HIDDEN);
    else requestAnimationFrame(show);
  }
}

function endOf(chunk: ChatChunk): Partial<Answer> {
  const stats = statsOf(chunk);
  return { cutByLength: chunk.done_reason === "length", ...(stats && { stats }) };
}

/** Time to the first token is everything but generation: queueing, loading the model, reading the prompt. */
export function statsOf({ eval_count, eval_duration, total_duration }: ChatChunk): Stats | undefined {
  if (!eval_count || !eval_duration || !total_duration) return undefined;
  const seconds = eval_duration / 1e9;
  return {
    tokens: eval_count,
    tokensPerSecond: eval_count / seconds,
    secondsToFirstToken: Math.max(0, total_duration / 1e9 - seconds),
  };
}
