// The conversation that is shown: its messages, the place to ask, and what is wrong. Takes files that are dropped on it.
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

  function over(event: DragEvent) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(true);
  }
  function left(event: DragEvent) {
    if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
  }
  function dropped(event: DragEvent) {
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
      onDragOver={over}
      onDragLeave={left}
      onDrop={dropped}
    >
      <Notices />
      {id ? <Messages id={id} messages={messages} /> : <Welcome />}
      <Composer id={id} />
    </section>
  );
}
