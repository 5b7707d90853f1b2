// The login form. After it, the page is where it was.
import { LogIn } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { login } from "./api/client";
import { messageOf } from "./api/errors";
import { begin, useSession } from "./api/session";
import { Mark } from "./parts/Mark";

export function Login() {
  const { email, expired } = useSession();
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [focusedBefore] = useState(() => document.activeElement);
  useEffect(() => () => void (focusedBefore instanceof HTMLElement && focusedBefore.focus()), [focusedBefore]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const [givenEmail, password] = [String(given.get("email")), String(given.get("password"))];
    setBusy(true);
    setProblem(null);
    try {
      begin(await login(givenEmail, password), givenEmail);
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
      form.querySelector<HTMLInputElement>("[name=password]")?.focus();
    }
  }

  return (
    <main className="login">
      <form onSubmit={submit} aria-labelledby="login-title">
        <Mark />
        <h1 id="login-title">LocalChat</h1>
        <p>
          {expired
            ? "Your login has expired. Log in again to go on where you were."
            : "Talk to the models on this machine."}
        </p>
        <label>
          Email
          {/* biome-ignore lint/a11y/noAutofocus: the page has nothing else */}
          <input name="email" type="email" autoComplete="username" defaultValue={email} required autoFocus={!email} />
        </label>
        <label>
          Password
          {/* biome-ignore lint/a11y/noAutofocus: the same */}
          <input name="password" type="password" autoComplete="current-password" required autoFocus={Boolean(email)} />
        </label>
        <p className="problem" role="alert">
          {problem}
        </p>
        <button type="submit" className="primary" disabled={isBusy}>
          <LogIn /> Log in
        </button>
      </form>
    </main>
  );
}
