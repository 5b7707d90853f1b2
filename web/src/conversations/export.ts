// A conversation as a Markdown file.
import type { Conversation, Message } from "./types";

export function asMarkdown(conversation: Conversation, messages: readonly Message[]): string {
  const system = conversation.system ? [`> ${conversation.system.replaceAll("\n", "\n> ")}`] : [];
  return `${[`# ${conversation.title}`, ...system, ...messages.map(section)].join("\n\n")}\n`;
}

/** A file name that is valid on every system. */
export function fileName({ title }: Conversation): string {
  const safe = title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return `${safe || "conversation"}.md`;
}

function section(message: Message): string {
  if (message.role === "assistant") return [`## ${message.model}`, message.content].filter(Boolean).join("\n\n");
  const files = message.attachments.map(({ name, downloadPath }) => `- ${name} (\`${downloadPath}\`)`);
  return ["## You", message.content, files.join("\n")].filter(Boolean).join("\n\n");
}
