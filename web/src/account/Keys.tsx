// API keys: for programs, one each. Made, listed, deleted.
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { currentModel } from "../chat/models";
import { ActionForm } from "../parts/ActionForm";
import { Confirmation } from "../parts/Confirmation";
import { Dialog } from "../parts/Dialog";
import { IconButton } from "../parts/IconButton";
import { useFetched } from "../parts/useFetched";
import type { ViewProps } from "./AccountMenu";
import { deleteKey, type Key, listKeys, makeKey } from "./api";
import { setups } from "./clients";
import { day } from "./day";
import { Copyable, Secret } from "./Secret";

export function Keys({ me, onClose }: ViewProps) {
  const { value: keys, error, refresh } = useFetched(listKeys);
  const [made, setMade] = useState<{ id: string; name: string; key: string } | null>(null);
  const [deleting, setDeleting] = useState<Key | null>(null);

  async function handleSubmit({ name = "", days, models }: Record<string, string>) {
    const scopes = models ? ["chat", "models"] : ["chat"];
    setMade(await makeKey({ name, expires_in_days: Number(days) || null, scopes }));
    await refresh();
  }

  return (
    <Dialog title="API keys" side="centre wide" onClose={onClose}>
      <p>
        Programs log in with a key instead of your password. Give each its own: deleting one stops only that program.
      </p>
      {made && (
        <Secret key={made.id} title={`Your key “${made.name}”`} what="key" text={made.key}>
          <p>Copy it now: it is shown only this once.</p>
          <SetUp apiKey={made.key} />
        </Secret>
      )}
      <ActionForm label="New key" action="Create key" onSubmit={handleSubmit}>
        <label>
          Name
          <input name="name" placeholder="Editor on my laptop" maxLength={100} autoComplete="off" required />
        </label>
        <label>
          Works
          <select name="days">
            <option value="">until you delete it</option>
            <option value="30">for 30 days</option>
            <option value="365">for a year</option>
          </select>
        </label>
        {me.role === "admin" && (
          <label className="check">
            <input name="models" type="checkbox" /> May also download, copy and delete models
          </label>
        )}
      </ActionForm>
      <p className="error" role="alert">
        {error}
      </p>
      <ul className="entries" aria-label="Your keys">
        {keys?.map((key) => (
          <li key={key.id}>
            <p>
              <strong>{key.name}</strong> <code>…{key.hint}</code>
              <small>{describe(key)}</small>
            </p>
            <IconButton name={`Delete ${key.name}`} icon={Trash2} onClick={() => setDeleting(key)} />
          </li>
        ))}
      </ul>
      {deleting && (
        <Confirmation
          title="Delete this key?"
          action="Delete"
          onConfirm={async () => {
            await deleteKey(deleting);
            if (made?.id === deleting.id) setMade(null);
            await refresh();
          }}
          onClose={() => setDeleting(null)}
        >
          <p>“{deleting.name}” stops working at once, for good. Programs that use it will be refused.</p>
        </Confirmation>
      )}
    </Dialog>
  );
}

function SetUp({ apiKey }: { apiKey: string }) {
  const all = setups(location.origin, apiKey, currentModel()?.name ?? "smollm2:135m");
  const [shown, setShown] = useState(0);
  return (
    <>
      <label>
        Set up{" "}
        <select value={shown} onChange={({ target }) => setShown(Number(target.value))}>
          {all.map(([client], index) => (
            <option key={client} value={index}>
              {client}
            </option>
          ))}
        </select>
      </label>
      <Copyable what="setup" text={all[shown]?.[1] ?? ""} />
    </>
  );
}

const describe = ({ created_at, expires_at, last_used_at, scopes }: Key): string =>
  [
    `Created ${day(created_at)}`,
    last_used_at ? `last used ${day(last_used_at)}` : "never used",
    expires_at && `expires ${day(expires_at)}`,
    scopes.includes("models") && "may manage models",
  ]
    .filter(Boolean)
    .join(", ");
