// Builds Ollama's chat request from a conversation and its files.
import type { ChatMessage, ChatOptions, ChatRequest, Model } from "../api/types";
import type { Attachment, Conversation, Message, Question, Settings } from "../conversations/types";
import { supports } from "./models";

/** `messages` ends with the question to answer. */
export async function requestFor(
  conversation: Conversation,
  messages: readonly Message[],
  model: Model,
): Promise<ChatRequest> {
  const system: ChatMessage[] = conversation.system ? [{ role: "system", content: conversation.system }] : [];
  const sent = messages.map((message) => toMessage(message, model));
  const all = [...system, ...(await Promise.all(sent))].filter(({ content, images }) => content || images);
  return { model: model.name, messages: all, options: optionsOf(conversation) };
}

function optionsOf({ temperature, contextLength }: Settings): ChatOptions {
  return {
    ...(temperature !== null && { temperature }),
    ...(contextLength !== null && { num_ctx: contextLength }),
  };
}

async function toMessage(message: Message, model: Model): Promise<ChatMessage> {
  // The thinking stays behind, as the models' own templates expect.
  if (message.role === "assistant") return { role: "assistant", content: message.content };
  return toUserMessage(message, model);
}

async function toUserMessage({ content, attachments }: Question, model: Model): Promise<ChatMessage> {
  const files = attachments.filter(({ text }) => text !== undefined).map(quoted);
  const images = supports(model, "vision") ? attachments.flatMap(({ image }) => image ?? []) : [];
  return {
    role: "user",
    content: [content, ...files].filter(Boolean).join("\n\n"),
    ...(images.length && { images: await Promise.all(images.map(base64)) }),
  };
}

function quoted({ name, text = "" }: Attachment): string {
  // Longer than any fence in the file.
  const fence = "`".repeat(Math.max(3, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length + 1)));
  return `File ${name}:\n${fence}\n${text}\n${fence}`;
}

function base64(image: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(image);
  });
}

/** The files; `leftOut` is set on each image that this model can't see. */
export function seenBy<File extends Pick<Attachment, "image" | "leftOut">>(
  model: Model,
  files: readonly File[],
): File[] {
  return files.map((file) => {
    if (!file.image) return file;
    const { leftOut: _, ...seen } = file;
    const isSeen = supports(model, "vision");
    return {
      ...seen,
      ...(!isSeen && { leftOut: `${model.name} can't see images. Choose a vision model.` }),
    } as File;
  });
}
