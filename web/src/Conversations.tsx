// The list of conversations: start, search, open, rename, export, delete.
import { Download, Pencil, Plus, Trash2 } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { findInMessages } from "./conversations/database";
import { asMarkdown, fileName } from "./conversations/export";
import { messagesOf, open, remove, rename, useConversations } from "./conversations/store";
import type { Conversation } from "./conversations/types";
import { addressOf, show } from "./parts/address";
import { Confirmation } from "./parts/Confirmation";
import { IconButton } from "./parts/IconButton";
import { Logo } from "./parts/Logo";
import { saveAs } from "./parts/save";

interface Props {
  shown: string | null;
  onChosen?: () => void;
}

export function Conversations({ shown, onChosen }: Props) {
  const { list, answering } = useConversations();
  const [text, setText] = useState("");
  const found = useFound(text);
  const begin = useRef<HTMLAnchorElement>(null);
  const [deleting, setDeleting] = useState<Conversation | null>(null);
  const matching = (list ?? []).filter((one) => !found || found.has(one.id) || contains(one.title, text));

  return (
    <nav className="conversations" aria-label="Conversations">
      <div className="brand">
        <Logo />
        <h1>LocalChat</h1>
      </div>
      <a ref={begin} className="begin" href={addressOf(null)} onClick={onChosen}>
        <Plus /> New conversation
      </a>
      <input
        type="search"
        aria-label="Search conversations"
        placeholder="Search"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <ul>
        {matching.map((one) => (
          <Item
            key={one.id}
            conversation={one}
            isShown={one.id === shown}
            isAnswering={answering.includes(one.id)}
            onChosen={onChosen}
            onDelete={() => setDeleting(one)}
          />
        ))}
      </ul>
      {list && !matching.length && <p className="none">{text ? "Nothing found." : "No conversations yet."}</p>}
      <p className="where">
        Conversations are stored only in this browser; clearing its data deletes them. Files that you attach are stored
        on the server.
      </p>
      {deleting && (
        <Deletion
          conversation={deleting}
          onClose={() => setDeleting(null)}
          // The button that had the focus is removed with it.
          onDeleted={() => begin.current?.focus()}
        />
      )}
    </nav>
  );
}

interface ItemProps {
  conversation: Conversation;
  isShown: boolean;
  isAnswering: boolean;
  onChosen: (() => void) | undefined;
  onDelete: () => void;
}

function Item({ conversation, isShown, isAnswering, onChosen, onDelete }: ItemProps) {
  const [isRenaming, setRenaming] = useState(false);
  const [isRenamed, setRenamed] = useState(false);
  const { id, title } = conversation;
  function handleRenamed(byKey: boolean) {
    setRenaming(false);
    setRenamed(byKey);
  }
  if (isRenaming) return <Renaming conversation={conversation} onEnd={handleRenamed} />;
  return (
    <li className={isShown ? "shown" : ""}>
      <a href={addressOf(id)} aria-current={isShown ? "page" : undefined} title={title} onClick={onChosen}>
        <span className="title" dir="auto">
          {title}
        </span>
        {isAnswering && <span className="dot" role="img" aria-label="Answering…" />}
      </a>
      <span className="tools">
        <IconButton name={`Rename ${title}`} icon={Pencil} autoFocus={isRenamed} onClick={() => setRenaming(true)} />
        <IconButton
          name={`Export ${title} as Markdown`}
          icon={Download}
          onClick={() => void exportAsMarkdown(conversation)}
        />
        <IconButton name={`Delete ${title}`} icon={Trash2} onClick={onDelete} />
      </span>
    </li>
  );
}

interface RenamingProps {
  conversation: Conversation;
  /** `byKey`: the input still has the focus. */
  onEnd: (byKey: boolean) => void;
}

function Renaming({ conversation: { id, title }, onEnd }: RenamingProps) {
  function handleSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const chosen = String(new FormData(event.currentTarget).get("title")).trim();
    if (chosen) void rename(id, chosen);
    onEnd(true);
  }
  function handleEscape(event: KeyboardEvent) {
    // On a small screen Escape must not close the surrounding dialog as well.
    event.preventDefault();
    onEnd(true);
  }
  return (
    <li>
      <form onSubmit={handleSubmit} onKeyDown={(event) => event.key === "Escape" && handleEscape(event)}>
        <input
          name="title"
          aria-label="New title"
          defaultValue={title}
          maxLength={200}
          // biome-ignore lint/a11y/noAutofocus: it was asked for
          autoFocus
          onBlur={() => onEnd(false)}
        />
      </form>
    </li>
  );
}

interface DeletionProps {
  conversation: Conversation;
  onClose: () => void;
  onDeleted: () => void;
}

function Deletion({ conversation: { id, title }, onClose, onDeleted }: DeletionProps) {
  function handleDelete() {
    onDeleted();
    // After the dialog has gone, because what is shown instead takes the focus.
    void remove(id);
    if (location.hash === addressOf(id)) show(null);
  }
  return (
    <Confirmation
      title="Delete this conversation?"
      action="Delete"
      onConfirm={async () => undefined}
      onDone={handleDelete}
      onClose={onClose}
    >
      <p>“{title}” will be deleted from this browser for good.</p>
    </Confirmation>
  );
}

async function exportAsMarkdown(conversation: Conversation): Promise<void> {
  await open(conversation.id);
  const markdown = asMarkdown(conversation, messagesOf(conversation.id));
  saveAs(fileName(conversation), new Blob([markdown], { type: "text/markdown" }));
}

const contains = (title: string, text: string): boolean => title.toLowerCase().includes(text.trim().toLowerCase());

/** The conversations whose messages contain the text; null without a search. */
function useFound(text: string): Set<string> | null {
  const [found, setFound] = useState<Set<string> | null>(null);
  useEffect(() => {
    const wanted = text.trim();
    if (!wanted) {
      setFound(null);
      return;
    }
    let isWanted = true;
    findInMessages(wanted).then(
      (result) => isWanted && setFound(result),
      () => isWanted && setFound(new Set()),
    );
    return () => {
      isWanted = false;
    };
  }, [text]);
  return found;
}
