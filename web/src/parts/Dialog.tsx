// A modal dialog: the browser's own, which keeps the focus inside, closes on Escape and gives the focus back.
import { X } from "lucide-react";
import { type ReactNode, useLayoutEffect, useRef } from "react";
import { IconButton } from "./IconButton";

interface Props {
  title: string;
  /** Where it comes from, or "centre". */
  side: "start" | "end" | "centre";
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ title, side, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // Were it merely taken away, the browser would not give the focus back.
    return () => shown?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the keyboard's way, and the browser's own
    <dialog
      ref={dialog}
      className={`dialog ${side}`}
      aria-label={title}
      onClose={onClose}
      // Outside of its content is the backdrop.
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
