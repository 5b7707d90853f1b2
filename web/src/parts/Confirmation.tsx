// Asks before something that takes something away, and says what goes.
import { type ReactNode, useRef } from "react";
import { Dialog } from "./Dialog";
import { useAction } from "./useAction";

interface Props<Answer> {
  title: string;
  /** Of the button. */
  action: string;
  onConfirm: () => Promise<Answer>;
  /** After it worked, when the dialog has gone. */
  onDone?: (answer: Answer) => void;
  onClose: () => void;
  /** What goes. */
  children: ReactNode;
}

export function Confirmation<Answer>({ title, action, onConfirm, onDone, onClose, children }: Props<Answer>) {
  const { error, isBusy, run } = useAction();
  const cancel = useRef<HTMLButtonElement>(null);
  async function handleConfirm() {
    await run(async () => {
      const answer = await onConfirm();
      // Closed and not only removed, so that the focus returns.
      cancel.current?.closest("dialog")?.close();
      onDone?.(answer);
    });
  }
  return (
    <Dialog title={title} side="centre" onClose={onClose}>
      {children}
      <p className="error" role="alert">
        {error}
      </p>
      <div className="choices">
        <button ref={cancel} type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="danger" aria-disabled={isBusy} onClick={handleConfirm}>
          {action}
        </button>
      </div>
    </Dialog>
  );
}
