// What an invitation's link leads to: choosing a password.
import { acceptInvitation, logout } from "../api/client";
import { useSession } from "../api/session";
import { ActionForm } from "../parts/ActionForm";
import { showInstead } from "../parts/address";
import { Logo } from "../parts/Logo";

interface Props {
  token: string;
  /** With what the login is to say. */
  onAccepted: (note: string) => void;
}

export function Invitation({ token, onAccepted }: Props) {
  async function handleSubmit({ password = "" }: Record<string, string>) {
    await acceptInvitation(token, password);
    // Whoever was logged in in this browser is not the one who was invited.
    if (useSession.getState().token) await logout(false);
    onAccepted("Your password is set. Log in with it.");
    showInstead(null);
  }
  return (
    <main className="login">
      <div className="fields">
        <Logo />
        <h1>Welcome to LocalChat</h1>
        <p>You have been invited. Choose a password, then log in with your email and that password.</p>
        <ActionForm label="Choose a password" action="Set password" onSubmit={handleSubmit}>
          <label>
            New password
            {/* biome-ignore lint/a11y/noAutofocus: the page has nothing else */}
            <input name="password" type="password" autoComplete="new-password" required autoFocus />
          </label>
        </ActionForm>
      </div>
    </main>
  );
}
