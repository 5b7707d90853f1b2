// The open conversation: notices, messages and composer. Accepts dropped files.
import { type DragEvent, useState } from "react";
import { attach, NEW } from "./attachments/drafts";
import { Composer } from "./Composer";
import { useConversations } from "./conversations/store";
import type { Message } from "./conversations/types";
import { Messages } from "./Messages";
import { Notices } from "./Notices";
import { Welcome } from "./Welcome";

const NONE: Message[] = [];

export function Conversation({ id }: { id: string | null }) {
  const messages = useConversations((state) => (id ? state.messages[id] : undefined)) ?? NONE;
  const [isOver, setOver] = useState(false);

  function handleDragOver(event: DragEvent) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(true);
  }
  function handleDragLeave(event: DragEvent) {
    if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
  }
  function handleDrop(event: DragEvent) {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    setOver(false);
    attach(id ?? NEW, event.dataTransfer.files);
  }

  return (
    <section
      className="conversation"
      aria-label="Conversation"
      data-is-over={isOver || undefined}
      onDragOver={handleDragOver}
      onDragLeave={handleDragLeave}
      onDrop={handleDrop}
    >
      <Notices />
      {id ? <Messages id={id} messages={messages} /> : <Welcome />}
      <Composer id={id} />
    </section>
  );
}
