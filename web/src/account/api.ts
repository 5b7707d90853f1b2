// The API's endpoints about people and keys.
import { request } from "../api/client";
import type { Account, Role } from "../api/types";

export interface User extends Account {
  disabled: boolean;
  last_seen_at: string | null;
}

export interface Key {
  id: string;
  name: string;
  /** Its last four characters. */
  hint: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

export interface NewKey {
  name: string;
  expires_in_days: number | null;
  scopes: string[];
}

export const listKeys = async (): Promise<Key[]> => (await request<{ keys: Key[] }>("GET", "/keys")).keys;
export const makeKey = (key: NewKey): Promise<Key & { key: string }> => request("POST", "/keys", key);
export const deleteKey = ({ id }: Key): Promise<void> => request("DELETE", `/keys/${id}`);

/** The path of the page that an invitation leads to. */
interface Invited {
  invitation?: string;
}

export const listUsers = async (): Promise<User[]> => (await request<{ users: User[] }>("GET", "/users")).users;
export const addUser = (user: { email: string; name: string; role: Role }): Promise<User & Invited> =>
  request("POST", "/users", user);
export const changeUser = ({ id }: User, changes: { role?: Role; disabled?: boolean }): Promise<Invited> =>
  request("PATCH", `/users/${id}`, changes);
export const inviteUser = ({ id }: User): Promise<Invited> => request("POST", `/users/${id}/invitation`);
export const deleteUser = ({ id }: User): Promise<undefined> => request("DELETE", `/users/${id}`);
