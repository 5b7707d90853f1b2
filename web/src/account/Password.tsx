// Changing one's own password.
import { useState } from "react";
import { request } from "../api/client";
import { ActionForm } from "../parts/ActionForm";
import { Dialog } from "../parts/Dialog";
import type { ViewProps } from "./AccountMenu";

const ELSEWHERE = {
  settings:
    "Your password is ADMIN_PASSWORD in LocalChat’s settings (.env): change it there, then run “docker compose up -d”.",
  oidc: "You log in with an identity provider: change your password there.",
  page: "",
};

export function Password({ me, onClose }: ViewProps) {
  const [isChanged, setChanged] = useState(false);
  async function handleSubmit({ current, new: chosen }: Record<string, string>) {
    setChanged(false);
    await request("PUT", "/me/password", { current, new: chosen });
    setChanged(true);
  }
  const elsewhere = ELSEWHERE[me.managed_by];
  return (
    <Dialog title="Change password" side="centre" onClose={onClose}>
      {elsewhere ? (
        <p>{elsewhere}</p>
      ) : (
        <ActionForm label="Change password" action="Change password" onSubmit={handleSubmit}>
          {/* For password managers. */}
          <input hidden readOnly autoComplete="username" value={me.email} />
          <label>
            Current password
            <input name="current" type="password" autoComplete="current-password" required />
          </label>
          <label>
            New password
            <input name="new" type="password" autoComplete="new-password" required />
          </label>
          <p className="note">You will be logged out in all other browsers. API keys keep working.</p>
          <p role="status">{isChanged && "Your password has been changed."}</p>
        </ActionForm>
      )}
    </Dialog>
  );
}
