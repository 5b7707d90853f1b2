// The account menu: who is logged in, and what they can change.
import { type ComponentType, useState } from "react";
import { me } from "../api/client";
import type { Account } from "../api/types";
import { useFetched } from "../parts/useFetched";
import { Keys } from "./Keys";
import { LogOut, LogOutEverywhere } from "./LogOut";
import { Password } from "./Password";
import { People } from "./People";

export interface ViewProps {
  me: Account;
  onClose: () => void;
}

const VIEWS: [name: string, view: ComponentType<ViewProps>, adminsOnly?: true][] = [
  ["API keys", Keys],
  ["People", People, true],
  ["Change password", Password],
  ["Log out", LogOut],
  ["Log out everywhere", LogOutEverywhere],
];

export function AccountMenu() {
  const { value: account, error } = useFetched(me);
  const [shown, setShown] = useState("");
  const View = VIEWS.find(([name]) => name === shown)?.[1];
  const close = () => setShown("");
  return (
    <>
      <p>
        {account?.name && <strong>{account.name}</strong>} {account?.email}{" "}
        {account?.role === "admin" && <small>Administrator</small>}
      </p>
      <p className="error" role="alert">
        {error}
      </p>
      {account &&
        VIEWS.map(
          ([name, , adminsOnly]) =>
            (!adminsOnly || account.role === "admin") && (
              <button key={name} type="button" onClick={() => setShown(name)}>
                {name}
              </button>
            ),
        )}
      {account && View && <View me={account} onClose={close} />}
    </>
  );
}
