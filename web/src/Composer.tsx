// The place to ask: words, files, send, stop.
import { ArrowUp, Paperclip, Square, X } from "lucide-react";
import { type ClipboardEvent, type FormEvent, type KeyboardEvent, useLayoutEffect, useRef } from "react";
import type { Model } from "./api/types";
import { attach, change, type Draft, discard, NEW, type Pending, useDraft } from "./attachments/drafts";
import { PendingView } from "./attachments/PendingView";
import { fitted, roomFor } from "./attachments/reading";
import { ask, askInstead, stop } from "./chat/answers";
import { current, useModels } from "./chat/models";
import { seenBy } from "./chat/request";
import { begin, settingsOf, useConversations } from "./conversations/store";
import type { Attachment, Settings } from "./conversations/types";
import { show } from "./parts/address";
import { IconButton } from "./parts/IconButton";

// The server's own, as long as nothing else is set (OLLAMA_CONTEXT_LENGTH).
const DEFAULT_CONTEXT_LENGTH = 4096;
const KEY_OF_INPUT_METHOD = 229;
const HAS_KEYBOARD = matchMedia("(pointer: fine)");

export function Composer({ id }: { id: string | null }) {
  const key = id ?? NEW;
  const draft = useDraft(key);
  const model = useModels(current);
  const settings = useConversations((state) => settingsOf(state, id));
  const isAnswering = useConversations(({ answering }) => id !== null && answering.includes(id));
  const words = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);

  const files = model ? seenBy(model, fitted(draft.files, room(settings, model))) : draft.files;
  const obstacle = obstacleTo(draft, model);
  const editedId = draft.insteadOf?.id;
  // Before anybody can do something else: an effect that comes later would take the focus from it.
  useLayoutEffect(() => {
    // On a touch screen the keyboard would come up, over half of the page.
    if (editedId || HAS_KEYBOARD.matches) words.current?.focus();
  }, [editedId]);
  useLayoutEffect(() => {
    // What had the focus is gone: the button that sent, or that tried again.
    const isLost = document.activeElement === document.body;
    if (isAnswering && isLost && HAS_KEYBOARD.matches) words.current?.focus();
  }, [isAnswering]);

  function send(event?: FormEvent) {
    event?.preventDefault();
    if (obstacle !== null || isAnswering || !model) return;
    const content = draft.words.trim();
    const attachments = files.map(asked);
    discard(key);
    if (draft.insteadOf) return void askInstead(draft.insteadOf, model, content, attachments);
    const conversation = id ?? begin(content || files.map(({ name }) => name).join(", "));
    void ask(conversation, model, content, attachments);
    if (!id) show(conversation);
  }

  function stopped() {
    if (id) stop(id);
    // The button that has it goes.
    if (HAS_KEYBOARD.matches) words.current?.focus();
  }

  function pressed(event: KeyboardEvent) {
    if (event.key === "Enter" && !event.shiftKey && !isComposing(event)) send(event as unknown as FormEvent);
    if (event.key === "Escape" && id && isAnswering) stop(id);
  }

  function pasted(event: ClipboardEvent) {
    const { files, types } = event.clipboardData;
    // What is copied in a word processor is there as a picture too.
    if (!files.length || types.includes("text/plain")) return;
    event.preventDefault();
    attach(key, files);
  }

  return (
    <form className="composer" onSubmit={send}>
      {draft.insteadOf && (
        <p className="note">
          Your last question, to be asked again in other words.
          <IconButton name="Leave the question as it was" icon={X} onClick={() => discard(key)} />
        </p>
      )}
      {files.length > 0 && (
        <ul className="attachments" aria-label="Attached files">
          {draft.files.map((pending, index) => (
            <PendingView key={pending.id} draft={key} pending={pending} leftOut={files[index]?.leftOut} />
          ))}
        </ul>
      )}
      <textarea
        ref={words}
        dir="auto"
        aria-label="Your question"
        placeholder="Ask something"
        rows={1}
        value={draft.words}
        onChange={(event) => change(key, { words: event.target.value })}
        onKeyDown={pressed}
        onPaste={pasted}
      />
      <div className="composer-bar">
        <input ref={chooser} type="file" multiple hidden onChange={chosen} />
        <IconButton name="Attach files" icon={Paperclip} onClick={() => chooser.current?.click()} />
        <span className={obstacle ? "hint obstacle" : "hint"}>
          {obstacle || "Enter sends, Shift + Enter is a new line"}
        </span>
        {/* By their keys two buttons: were it one that changes, the click that stops would go on to send. */}
        {id && isAnswering ? (
          <IconButton key="stop" name="Stop" icon={Square} className="primary" onClick={stopped} />
        ) : (
          <IconButton
            key="send"
            name="Send"
            icon={ArrowUp}
            className="primary"
            type="submit"
            aria-disabled={obstacle !== null}
          />
        )}
      </div>
    </form>
  );

  function chosen() {
    if (chooser.current?.files) attach(key, chooser.current.files);
    // So that the same file can be chosen again.
    if (chooser.current) chooser.current.value = "";
  }
}

/** Whether the key goes to an input method: Enter chooses a character there. Safari tells it by the code alone. */
const isComposing = ({ nativeEvent }: KeyboardEvent): boolean =>
  nativeEvent.isComposing || nativeEvent.keyCode === KEY_OF_INPUT_METHOD;

/** Why it cannot be sent just now; empty for what need not be said, null if it can. */
function obstacleTo({ words, files }: Draft, model: Model | null): string | null {
  if (!model) return "There is no model to ask.";
  if (files.some(({ problem }) => problem)) return "A file was not accepted: remove it to send.";
  if (files.some(({ downloadPath }) => !downloadPath)) return "Sending waits for the files.";
  return words.trim() || files.length ? null : "";
}

function room({ contextLength }: Settings, { details }: Model): number {
  return roomFor(contextLength ?? Math.min(DEFAULT_CONTEXT_LENGTH, details.context_length ?? Number.POSITIVE_INFINITY));
}

function asked({ name, size, downloadPath = "", text, image, leftOut }: Pending): Attachment {
  return {
    name,
    size,
    downloadPath,
    ...(text !== undefined && { text }),
    ...(image && { image }),
    ...(leftOut && { leftOut }),
  };
}
