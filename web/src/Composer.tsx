// Where one writes: text, files, send, stop.
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

// Ollama's default unless OLLAMA_CONTEXT_LENGTH is set.
const DEFAULT_CONTEXT_LENGTH = 4096;
const KEY_OF_INPUT_METHOD = 229;
const HAS_KEYBOARD = matchMedia("(pointer: fine)");

export function Composer({ id }: { id: string | null }) {
  const key = id ?? NEW;
  const draft = useDraft(key);
  const model = useModels(current);
  const settings = useConversations((state) => settingsOf(state, id));
  const isAnswering = useConversations(({ answering }) => id !== null && answering.includes(id));
  const input = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);

  const files = model ? seenBy(model, fitted(draft.files, room(settings, model))) : draft.files;
  const obstacle = obstacleTo(draft, model);
  const editedId = draft.insteadOf?.id;
  // A layout effect, because a later one could take the focus from whatever the person has moved on to.
  useLayoutEffect(() => {
    // On a touch screen this would open the keyboard over half of the page.
    if (editedId || HAS_KEYBOARD.matches) input.current?.focus();
  }, [editedId]);
  useLayoutEffect(() => {
    // The button that had the focus (Send or Try again) has been removed.
    const isLost = document.activeElement === document.body;
    if (isAnswering && isLost && HAS_KEYBOARD.matches) input.current?.focus();
  }, [isAnswering]);

  function handleSubmit(event?: FormEvent) {
    event?.preventDefault();
    if (obstacle !== null || isAnswering || !model) return;
    const content = draft.text.trim();
    const attachments = files.map(toAttachment);
    discard(key);
    if (draft.insteadOf) return void askInstead(draft.insteadOf, model, content, attachments);
    const conversation = id ?? begin(content || files.map(({ name }) => name).join(", "));
    void ask(conversation, model, content, attachments);
    if (!id) show(conversation);
  }

  function handleStop() {
    if (id) stop(id);
    // The Stop button, which has the focus, is removed.
    if (HAS_KEYBOARD.matches) input.current?.focus();
  }

  function handleKeyDown(event: KeyboardEvent) {
    if (event.key === "Enter" && !event.shiftKey && !isComposing(event)) handleSubmit(event as unknown as FormEvent);
    if (event.key === "Escape" && id && isAnswering) stop(id);
  }

  function handlePaste(event: ClipboardEvent) {
    const { files, types } = event.clipboardData;
    // Word processors put an image of copied text on the clipboard too.
    if (!files.length || types.includes("text/plain")) return;
    event.preventDefault();
    attach(key, files);
  }

  return (
    <form className="composer" onSubmit={handleSubmit}>
      {draft.insteadOf && (
        <p className="note">
          Editing your last message.
          <IconButton name="Cancel" icon={X} onClick={() => discard(key)} />
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
        ref={input}
        dir="auto"
        aria-label="Your message"
        placeholder={model ? `Message ${model.name}` : "Message"}
        rows={1}
        value={draft.text}
        onChange={(event) => change(key, { text: event.target.value })}
        onKeyDown={handleKeyDown}
        onPaste={handlePaste}
      />
      <div className="composer-bar">
        <input ref={chooser} type="file" multiple hidden onChange={handleFiles} />
        <IconButton name="Attach files" icon={Paperclip} onClick={() => chooser.current?.click()} />
        <span className={obstacle ? "hint obstacle" : "hint"}>
          {obstacle || "Enter to send, Shift + Enter for a new line"}
        </span>
        {/* Separate keys make two buttons: with a single one, the click on Stop would go on to submit the form. */}
        {id && isAnswering ? (
          <IconButton key="stop" name="Stop" icon={Square} className="primary" onClick={handleStop} />
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

  function handleFiles() {
    if (chooser.current?.files) attach(key, chooser.current.files);
    // Allows choosing the same file again.
    if (chooser.current) chooser.current.value = "";
  }
}

/** Whether the key goes to an input method, where Enter picks a character. Safari shows it only in the key code. */
const isComposing = ({ nativeEvent }: KeyboardEvent): boolean =>
  nativeEvent.isComposing || nativeEvent.keyCode === KEY_OF_INPUT_METHOD;

/** Why it can't be sent; empty for an obvious reason, null if it can. */
function obstacleTo({ text, files }: Draft, model: Model | null): string | null {
  if (!model) return "No model to chat with.";
  if (files.some(({ error }) => error)) return "Remove the rejected file to send.";
  if (files.some(({ downloadPath }) => !downloadPath)) return "Waiting for uploads…";
  return text.trim() || files.length ? null : "";
}

function room({ contextLength }: Settings, { details }: Model): number {
  return roomFor(contextLength ?? Math.min(DEFAULT_CONTEXT_LENGTH, details.context_length ?? Number.POSITIVE_INFINITY));
}

function toAttachment({ name, size, downloadPath = "", text, image, leftOut }: Pending): Attachment {
  return {
    name,
    size,
    downloadPath,
    ...(text !== undefined && { text }),
    ...(image && { image }),
    ...(leftOut && { leftOut }),
  };
}
