// What the model is given: the conversation as Ollama's chat request, files included.
import type { ChatMessage, ChatOptions, ChatRequest, Model } from "../api/types";
import type { Answer, Attachment, Conversation, Message, Question, Settings } from "../conversations/types";
import { can } from "./models";

/** `messages` up to the question that is to be answered. */
export async function requestFor(
  conversation: Conversation,
  messages: readonly Message[],
  model: Model,
): Promise<ChatRequest> {
  const system: ChatMessage[] = conversation.system ? [{ role: "system", content: conversation.system }] : [];
  const said = messages.map((message) => (message.role === "user" ? asked(message, model) : answered(message)));
  const all = [...system, ...(await Promise.all(said))].filter(({ content, images }) => content || images);
  return { model: model.name, messages: all, options: optionsOf(conversation) };
}

function optionsOf({ temperature, contextLength }: Settings): ChatOptions {
  return {
    ...(temperature !== null && { temperature }),
    ...(contextLength !== null && { num_ctx: contextLength }),
  };
}

async function asked({ content, attachments }: Question, model: Model): Promise<ChatMessage> {
  const files = attachments.filter(({ text }) => text !== undefined).map(quoted);
  const images = can("vision")(model) ? attachments.flatMap(({ image }) => image ?? []) : [];
  return {
    role: "user",
    content: [content, ...files].filter(Boolean).join("\n\n"),
    ...(images.length && { images: await Promise.all(images.map(base64)) }),
  };
}

// The thinking stays behind, as the models' own templates have it.
const answered = ({ content }: Answer): ChatMessage => ({ role: "assistant", content });

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

/** The files, saying of each image whether this model sees it. */
export function seenBy<File extends Pick<Attachment, "image" | "leftOut">>(
  model: Model,
  files: readonly File[],
): File[] {
  return files.map((file) => {
    if (!file.image) return file;
    const { leftOut: _, ...seen } = file;
    const isSeen = can("vision")(model);
    return {
      ...seen,
      ...(!isSeen && { leftOut: `${model.name} cannot see images, so it is not given this one.` }),
    } as File;
  });
}
