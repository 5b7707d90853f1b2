// A native modal dialog, which traps the focus, closes on Escape and restores the focus. While the session is expired it is
// hidden, because it would cover the login.
import { X } from "lucide-react";
import { type ReactNode, type SyntheticEvent, useLayoutEffect, useRef } from "react";
import { useSession } from "../api/session";
import { IconButton } from "./IconButton";

interface Props {
  title: string;
  /** The edge it slides in from, or "centre". */
  side: "start" | "end" | "centre" | "centre wide";
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ title, side, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isHidden = useSession(({ expired }) => expired);
  useLayoutEffect(() => {
    if (isHidden) return;
    const shown = dialog.current;
    shown?.showModal();
    // If it were only removed, the browser would not restore the focus.
    return () => {
      shown?.close();
      // Unless what had it is gone, as after a deletion. Then for a moment a hidden button still has it.
      const focused = document.activeElement;
      if (focused === document.body || shown?.contains(focused)) shown?.parentElement?.closest("dialog")?.focus();
    };
  }, [isHidden]);
  function handleClose({ target }: SyntheticEvent) {
    // In React this event bubbles: it may be that of a dialog within this one.
    if (target === dialog.current && !useSession.getState().expired) onClose();
  }

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the keyboard's way, and the browser's own
    <dialog
      ref={dialog}
      tabIndex={-1}
      className={`dialog ${side}`}
      aria-label={title}
      onClose={handleClose}
      // Outside its content is the backdrop.
      onClick={(event) => event.target === dialog.current && dialog.current.close()}
    >
      <div className="dialog-content">
        <header>
          <h2>{title}</h2>
          <IconButton name="Close" icon={X} onClick={() => dialog.current?.close()} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
