// Who is logged in, in this browser. Callers wait while the token is expired, and continue after the next login.
import { create } from "zustand";

const TOKEN = "localchat.token";
const EMAIL = "localchat.email";
const ACCOUNT = "localchat.account";

interface Session {
  token: string | null;
  /** The account's id; null while logged out, and after an update from version 0.2 until the API has been asked. */
  account: string | null;
  email: string;
  /** The token was rejected while in use: the page keeps its state behind the login. */
  expired: boolean;
}

export const useSession = create<Session>(() => ({
  token: localStorage.getItem(TOKEN),
  account: localStorage.getItem(ACCOUNT),
  email: localStorage.getItem(EMAIL) ?? "",
  expired: false,
}));

export function begin(token: string, { id, email }: { id: string; email: string }): void {
  const { account } = useSession.getState();
  // Somebody else than the one whose session expired: nothing of theirs may stay.
  if (account && account !== id) end();
  localStorage.setItem(ACCOUNT, id);
  localStorage.setItem(EMAIL, email);
  // Last, because other tabs wait for it.
  localStorage.setItem(TOKEN, token);
  useSession.setState({ token, account: id, email, expired: false });
}

/** Whose token it is, where version 0.2 stored only the token. */
export function identify({ id }: { id: string }): void {
  localStorage.setItem(ACCOUNT, id);
  useSession.setState({ account: id });
}

/** Leaves nothing of the account for the next person, its email neither. */
export function end(): void {
  for (const name of [EMAIL, ACCOUNT, TOKEN]) localStorage.removeItem(name);
  useSession.setState({ token: null, account: null, email: "", expired: false });
}

/** The token to send, once there is one. Rejects when `signal` aborts, or when another account has logged in. */
export function token(signal?: AbortSignal): Promise<string> {
  const asking = useSession.getState().account;
  return new Promise((resolve, reject) => {
    const stop = useSession.subscribe(settle);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    else settle(useSession.getState());

    function settle({ token, account, expired }: Session) {
      if (!token || expired) return;
      if (asking && asking !== account) return abort();
      leave();
      resolve(token);
    }
    function abort() {
      leave();
      reject(new DOMException("Not wanted any more.", "AbortError"));
    }
    function leave() {
      stop();
      signal?.removeEventListener("abort", abort);
    }
  });
}

/** `refused` got a 401. Ignored if it has been replaced since. */
export function expire(refused: string): void {
  if (useSession.getState().token === refused) useSession.setState({ expired: true });
}

// Another tab logged in or out.
window.addEventListener("storage", ({ key, newValue }) => {
  if (key !== TOKEN) return;
  const [account, email] = [localStorage.getItem(ACCOUNT), localStorage.getItem(EMAIL) ?? ""];
  useSession.setState({ token: newValue, account, email, expired: false });
});
