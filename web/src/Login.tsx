// The login form. It returns the focus to where it was.
import { LogIn } from "lucide-react";
import { useEffect, useState } from "react";
import { identityProvider, login, OIDC } from "./api/client";
import { useSession } from "./api/session";
import { ActionForm } from "./parts/ActionForm";
import { Logo } from "./parts/Logo";

/** `note`: what has happened before. */
export function Login({ note }: { note: string }) {
  const { email, expired } = useSession();
  const [provider, setProvider] = useState<string>();
  const [focusedBefore] = useState(() => document.activeElement);
  useEffect(() => {
    // It may have been a conversation's.
    document.title = "LocalChat";
    identityProvider().then(setProvider, () => undefined);
  }, []);
  useEffect(() => () => void (focusedBefore instanceof HTMLElement && focusedBefore.focus()), [focusedBefore]);

  return (
    <main className="login">
      <div className="fields">
        <Logo />
        <h1>LocalChat</h1>
        <p>
          {expired
            ? "Your session has expired. Log in again to continue where you left off."
            : note || "Chat with the models on this machine."}
        </p>
        <ActionForm
          label="LocalChat"
          action={
            <>
              <LogIn /> Log in
            </>
          }
          onSubmit={({ email = "", password = "" }) => login(email, password)}
        >
          <label>
            Email
            {/* biome-ignore lint/a11y/noAutofocus: the page has nothing else */}
            <input name="email" type="email" autoComplete="username" defaultValue={email} required autoFocus={!email} />
          </label>
          <label>
            Password
            {/* biome-ignore lint/a11y/noAutofocus: the same */}
            <input name="password" type="password" autoComplete="current-password" required autoFocus={!!email} />
          </label>
        </ActionForm>
        {provider && (
          <a className="button" href={OIDC}>
            Log in with {provider}
          </a>
        )}
      </div>
    </main>
  );
}
