// Who is logged in, in this browser. A token that expired is waited for, so that whatever needed it can go on afterwards.
import { create } from "zustand";

const TOKEN = "localchat.token";
const EMAIL = "localchat.email";

interface Session {
  token: string | null;
  email: string;
  /** The token was refused while it was in use: the page stays as it is, behind the login. */
  expired: boolean;
}

export const useSession = create<Session>(() => ({
  token: localStorage.getItem(TOKEN),
  email: localStorage.getItem(EMAIL) ?? "",
  expired: false,
}));

export function begin(token: string, email: string): void {
  localStorage.setItem(TOKEN, token);
  localStorage.setItem(EMAIL, email);
  useSession.setState({ token, email, expired: false });
}

export function end(): void {
  localStorage.removeItem(TOKEN);
  useSession.setState({ token: null, expired: false });
}

/** The token to send, once there is one. Rejects when `signal` aborts. */
export function token(signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const stop = useSession.subscribe(settle);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    else settle(useSession.getState());

    function settle({ token, expired }: Session) {
      if (!token || expired) return;
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

/** `refused` got a 401. If another has come meanwhile, that one counts. */
export function expire(refused: string): void {
  if (useSession.getState().token === refused) useSession.setState({ expired: true });
}

// Another tab logged in or out.
window.addEventListener("storage", ({ key, newValue }) => {
  if (key === TOKEN) useSession.setState({ token: newValue, expired: false });
});
