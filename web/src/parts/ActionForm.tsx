// A form that is sent to the API. Its fields are emptied when it worked, and stay when it did not; a password then has the
// focus, to be typed again.
import type { FormEvent, ReactNode } from "react";
import { useAction } from "./useAction";

interface Props {
  label: string;
  /** Of the button. */
  action: ReactNode;
  onSubmit: (given: Record<string, string>) => Promise<unknown>;
  children: ReactNode;
}

export function ActionForm({ label, action, onSubmit, children }: Props) {
  const { error, isBusy, run } = useAction();
  async function handleSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const given = Object.fromEntries(new FormData(form)) as Record<string, string>;
    if (await run(() => onSubmit(given))) form.reset();
    else form.querySelector<HTMLInputElement>("[type=password]")?.focus();
  }
  return (
    <form className="fields" aria-label={label} onSubmit={handleSubmit}>
      {children}
      <p className="error" role="alert">
        {error}
      </p>
      {/* Not `disabled`, which would lose the focus. */}
      <button type="submit" className="primary" aria-disabled={isBusy}>
        {action}
      </button>
    </form>
  );
}
