// Everybody's accounts, for administrators: invite, and change one after a confirmation that says what goes.
import { useState } from "react";
import type { Role } from "../api/types";
import { ActionForm } from "../parts/ActionForm";
import { Confirmation } from "../parts/Confirmation";
import { Dialog } from "../parts/Dialog";
import { useFetched } from "../parts/useFetched";
import type { ViewProps } from "./AccountMenu";
import { addUser, changeUser, deleteUser, inviteUser, listUsers, type User } from "./api";
import { day } from "./day";
import { Secret } from "./Secret";

interface Change {
  user: User;
  action: string;
  what: string;
  ask: () => Promise<{ invitation?: string } | undefined>;
}

interface Invited {
  email: string;
  /** Missing where the API sent none. */
  invitation?: string;
}

export function People({ me, onClose }: ViewProps) {
  const { value: users, error, refresh } = useFetched(listUsers);
  const [asked, setAsked] = useState<Change | null>(null);
  const [invited, setInvited] = useState<Invited | null>(null);

  async function handleInvite({ email = "", name = "", role }: Record<string, string>) {
    setInvited(await addUser({ email, name, role: role as Role }));
    await refresh();
  }

  return (
    <Dialog title="People" side="centre wide" onClose={onClose}>
      {invited?.invitation && (
        <Secret
          key={invited.invitation}
          title={`Invitation for ${invited.email}`}
          what="link"
          text={location.origin + invited.invitation}
        >
          <p>
            Send them this link: LocalChat sends no email. With it they choose a password. It works once, within 7 days,
            and is shown only now.
          </p>
        </Secret>
      )}
      <ActionForm label="Invite somebody" action="Invite" onSubmit={handleInvite}>
        <label>
          Email
          <input name="email" type="email" autoComplete="off" required />
        </label>
        <label>
          Name (optional)
          <input name="name" maxLength={100} autoComplete="off" />
        </label>
        <label>
          Role
          <select name="role">
            <option value="member">Member</option>
            <option value="admin">Administrator</option>
          </select>
        </label>
      </ActionForm>
      <p className="error" role="alert">
        {error}
      </p>
      <ul className="entries" aria-label="Accounts">
        {users?.map((user) => (
          <li key={user.id}>
            <p>
              <strong>{user.name || user.email}</strong>
              <small>{describe(user)}</small>
            </p>
            {/* Nobody locks themselves out here. */}
            {user.id !== me.id &&
              changesOf(user).map((change) => (
                <button
                  key={change.action}
                  type="button"
                  aria-label={`${change.action}: ${user.email}`}
                  onClick={() => setAsked(change)}
                >
                  {change.action}
                </button>
              ))}
          </li>
        ))}
      </ul>
      {asked && (
        <Confirmation
          title={`${asked.action}?`}
          action={asked.action}
          onConfirm={async () => {
            const answer = await asked.ask();
            await refresh();
            return answer;
          }}
          onDone={(answer) => answer?.invitation && setInvited({ email: asked.user.email, ...answer })}
          onClose={() => setAsked(null)}
        >
          <p>
            <strong>{asked.user.email}</strong>: {asked.what}
          </p>
        </Confirmation>
      )}
    </Dialog>
  );
}

function changesOf(user: User): Change[] {
  const { role, disabled, managed_by } = user;
  if (managed_by === "settings") return [];
  const change = (action: string, what: string, ask: Change["ask"]): Change => ({ user, action, what, ask });
  const ofRole =
    role === "admin"
      ? change("Make member", "can no longer manage people and models, nor can their API keys.", () =>
          changeUser(user, { role: "member" }),
        )
      : change("Make administrator", "can then manage people and models, as you can.", () =>
          changeUser(user, { role: "admin" }),
        );
  const ofUse = disabled
    ? change("Enable", "can log in again, and their API keys work again.", () => changeUser(user, { disabled: false }))
    : change(
        "Disable",
        "is logged out everywhere at once, and their API keys stop working. Keys and files are kept until you enable the account again.",
        () => changeUser(user, { disabled: true }),
      );
  const link = change(
    "New invitation link",
    "gets a new link to choose a password; an earlier link stops working. When it is used, all of their sessions end. Until then the present password works.",
    () => inviteUser(user),
  );
  const removal = change(
    "Delete",
    "the account is deleted for good, with all of its API keys, sessions and uploaded files. Conversations stay in the browsers that they are in.",
    () => deleteUser(user),
  );
  return [ofRole, ofUse, ...(managed_by === "page" ? [link] : []), removal];
}

const describe = ({ name, email, role, disabled, last_seen_at, managed_by }: User): string =>
  [
    name && email,
    role === "admin" ? "administrator" : "member",
    disabled && "disabled",
    managed_by === "settings" && "kept in .env",
    last_seen_at ? `last seen ${day(last_seen_at)}` : "never seen",
  ]
    .filter(Boolean)
    .join(", ");
