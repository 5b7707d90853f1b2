// Something that the API shows once, to be copied.
import { type ReactNode, useLayoutEffect, useRef } from "react";
import { CopyButton } from "../parts/CopyButton";

interface Props {
  title: string;
  /** For the button: "Copy …". */
  what: string;
  text: string;
  children: ReactNode;
}

export function Secret({ title, what, text, children }: Props) {
  const place = useRef<HTMLElement>(null);
  useLayoutEffect(() => place.current?.focus(), []);
  return (
    <section ref={place} tabIndex={-1} className="secret" aria-label={title}>
      <h3>{title}</h3>
      <Copyable what={what} text={text} />
      {children}
    </section>
  );
}

export const Copyable = ({ what, text }: { what: string; text: string }) => (
  <div className="command">
    <code>{text}</code>
    <CopyButton what={what} text={text} />
  </div>
);
