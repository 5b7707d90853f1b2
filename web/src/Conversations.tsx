// The list of conversations: begin one, find one, choose, rename, export, delete.
import { Download, Pencil, Plus, Trash2 } from "lucide-react";
import { type FormEvent, type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from "react";
import { findInMessages } from "./conversations/database";
import { asMarkdown, fileName } from "./conversations/export";
import { messagesOf, open, remove, rename, useConversations } from "./conversations/store";
import type { Conversation } from "./conversations/types";
import { addressOf, show } from "./parts/address";
import { Dialog } from "./parts/Dialog";
import { IconButton } from "./parts/IconButton";
import { Mark } from "./parts/Mark";
import { saveAs } from "./parts/save";

interface Props {
  shown: string | null;
  onChosen?: () => void;
}

export function Conversations({ shown, onChosen }: Props) {
  const { list, answering } = useConversations();
  const [words, setWords] = useState("");
  const found = useFound(words);
  const begin = useRef<HTMLAnchorElement>(null);
  const [deleting, setDeleting] = useState<Conversation | null>(null);
  const matching = (list ?? []).filter((one) => !found || found.has(one.id) || contains(one.title, words));

  return (
    <nav className="conversations" aria-label="Conversations">
      <div className="brand">
        <Mark />
        <h1>LocalChat</h1>
      </div>
      <a ref={begin} className="begin" href={addressOf(null)} onClick={onChosen}>
        <Plus /> New conversation
      </a>
      <input
        type="search"
        aria-label="Search conversations"
        placeholder="Search"
        value={words}
        onChange={(event) => setWords(event.target.value)}
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
      {list && !matching.length && <p className="none">{words ? "Nothing found." : "No conversations yet."}</p>}
      <p className="where">
        Conversations stay in this browser: the server keeps none, and clearing the browser's data deletes them. Files
        that you attach are kept on the server.
      </p>
      {deleting && (
        <Deletion
          conversation={deleting}
          onClose={() => setDeleting(null)}
          // What had the focus goes with it.
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
  function renamed(byKey: boolean) {
    setRenaming(false);
    setRenamed(byKey);
  }
  if (isRenaming) return <Renaming conversation={conversation} onEnd={renamed} />;
  return (
    <li className={isShown ? "shown" : ""}>
      <a href={addressOf(id)} aria-current={isShown ? "page" : undefined} title={title} onClick={onChosen}>
        <span className="title" dir="auto">
          {title}
        </span>
        {isAnswering && <span className="dot" role="img" aria-label="is being answered" />}
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
  /** `byKey`: the focus is still there. */
  onEnd: (byKey: boolean) => void;
}

function Renaming({ conversation: { id, title }, onEnd }: RenamingProps) {
  function keep(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const chosen = String(new FormData(event.currentTarget).get("title")).trim();
    if (chosen) void rename(id, chosen);
    onEnd(true);
  }
  function leave(event: KeyboardEvent) {
    // Nor does it close the dialog around it, on a small screen.
    event.preventDefault();
    onEnd(true);
  }
  return (
    <li>
      <form onSubmit={keep} onKeyDown={(event) => event.key === "Escape" && leave(event)}>
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
  function confirm({ currentTarget }: MouseEvent) {
    // First, because it keeps the focus inside.
    currentTarget.closest("dialog")?.close();
    onDeleted();
    void remove(id);
    if (location.hash === addressOf(id)) show(null);
  }
  return (
    <Dialog title="Delete this conversation?" side="centre" onClose={onClose}>
      <p>“{title}” cannot be brought back.</p>
      <div className="choices">
        <button type="button" onClick={onClose}>
          Keep
        </button>
        <button type="button" className="danger" onClick={confirm}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}

async function exportAsMarkdown(conversation: Conversation): Promise<void> {
  await open(conversation.id);
  const markdown = asMarkdown(conversation, messagesOf(conversation.id));
  saveAs(fileName(conversation), new Blob([markdown], { type: "text/markdown" }));
}

const contains = (text: string, words: string): boolean => text.toLowerCase().includes(words.trim().toLowerCase());

/** The conversations whose messages have the words; null while nothing is looked for. */
function useFound(words: string): Set<string> | null {
  const [found, setFound] = useState<Set<string> | null>(null);
  useEffect(() => {
    const wanted = words.trim();
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
  }, [words]);
  return found;
}
