// The API's endpoints as functions. Each raises Refused or Unreachable. When the token has expired, each waits for a login
// and then retries.
import { BrokenOff, detailOf, isAbort, Refused, Unreachable } from "./errors";
import { linesOf } from "./ndjson";
import { begin, end, expire, token, useSession } from "./session";
import type { Account, ChatChunk, ChatRequest, Model, Upload } from "./types";

// Empty for the page's own origin; set during development.
const API: string = import.meta.env.VITE_API_URL ?? "";
const UNAUTHORIZED = 401;
const NO_CONTENT = 204;

/** The interactive API documentation. */
export const DOCUMENTATION = `${API}/docs`;

/** 401 for a wrong password, 429 after too many. */
export const login = (email: string, password: string): Promise<void> => enter("/login", { email, password });

/** The code comes with the redirect from the identity provider, and is good for one use. */
export const loginByCode = (code: string): Promise<void> => enter("/login/oidc/token", { code });

/** Where one is sent to log in with the identity provider. */
export const OIDC = `${API}/login/oidc`;

/** The identity provider's name, where one is set up. */
export async function identityProvider(): Promise<string | undefined> {
  const methods = (await (await ask("/login/methods", {})).json()) as { oidc: { name: string } | null };
  return methods.oidc?.name;
}

/** 404 once it has been used, or is too old. */
export async function acceptInvitation(token: string, password: string): Promise<void> {
  await ask(`/invitations/${encodeURIComponent(token)}`, json("POST", { password }));
}

async function enter(path: string, content: object): Promise<void> {
  const { access_token } = (await (await ask(path, json("POST", content))).json()) as { access_token: string };
  const me = await ask("/me", { headers: { Authorization: `Bearer ${access_token}` } });
  begin(access_token, (await me.json()) as Account);
}

/** `everywhere`: raises if the other sessions could not be ended. Else the API is told if it can be reached. */
export async function logout(everywhere: boolean): Promise<void> {
  if (everywhere) {
    await request("POST", "/logout?everywhere=true");
  } else {
    const headers = { Authorization: `Bearer ${useSession.getState().token}` };
    void ask("/logout", { method: "POST", headers, keepalive: true }).catch(() => undefined);
  }
  end();
}

/** With the token. Answers without content are undefined. */
export async function request<Answer>(method: string, path: string, content?: unknown): Promise<Answer> {
  const response = await askWithToken(path, json(method, content));
  return (response.status === NO_CONTENT ? undefined : await response.json()) as Answer;
}

export const me = (): Promise<Account> => request("GET", "/me");

export async function listModels(): Promise<Model[]> {
  const { models } = await request<{ models: Model[] | null }>("GET", "/models");
  return models ?? [];
}

/** undefined if Ollama does not list any. Raises Refused for a broken model, which Ollama lists all the same. */
export async function capabilitiesOf(model: string): Promise<string[] | undefined> {
  const { capabilities } = await request<{ capabilities?: string[] }>("POST", "/api/show", { model });
  return capabilities;
}

/** Yields each chunk as it arrives; aborting `signal` frees Ollama. Raises BrokenOff when no last chunk came. */
export async function* chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk> {
  const response = await askWithToken("/chat", { ...json("POST", request), signal });
  if (!response.body) throw new BrokenOff();
  let isDone = false;
  try {
    for await (const chunk of linesOf<ChatChunk>(response.body)) {
      if (chunk.error) throw new Refused(response.status, detailOf(JSON.stringify(chunk), response.status));
      yield chunk;
      isDone = chunk.done;
    }
  } catch (error) {
    if (error instanceof Refused || isAbort(error)) throw error;
    // The connection was lost, or a line was truncated.
  }
  signal.throwIfAborted();
  if (!isDone) throw new BrokenOff();
}

/** By its `download_path`. */
export async function download(path: string): Promise<Blob> {
  return (await askWithToken(path)).blob();
}

/** `onProgress` gets the fraction sent, 0 to 1. An aborted upload leaves nothing behind. */
export async function upload(file: File, onProgress: (share: number) => void, signal: AbortSignal): Promise<Upload> {
  const accessToken = await token(signal);
  signal.throwIfAborted();
  const form = new FormData();
  form.append("file", file);
  const { status, body } = await post("/upload", form, accessToken, onProgress, signal);
  if (status === UNAUTHORIZED) {
    expire(accessToken);
    return upload(file, onProgress, signal);
  }
  if (status >= 400) throw new Refused(status, detailOf(body, status));
  return JSON.parse(body) as Upload;
}

const json = (method: string, content?: unknown): RequestInit =>
  content === undefined
    ? { method }
    : { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };

async function askWithToken(path: string, request: RequestInit = {}): Promise<Response> {
  const accessToken = await token(request.signal ?? undefined);
  const headers = { ...request.headers, Authorization: `Bearer ${accessToken}` };
  try {
    return await ask(path, { ...request, headers });
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== UNAUTHORIZED) throw error;
    expire(accessToken);
    return askWithToken(path, request);
  }
}

async function ask(path: string, request: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(API + path, request);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Unreachable();
  }
  if (!response.ok) throw new Refused(response.status, detailOf(await response.text(), response.status));
  return response;
}

// XMLHttpRequest, because fetch does not report upload progress.
function post(
  path: string,
  form: FormData,
  accessToken: string,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", API + path);
    request.setRequestHeader("Authorization", `Bearer ${accessToken}`);
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    request.onload = () => resolve({ status: request.status, body: request.responseText });
    request.onerror = () => reject(new Unreachable());
    request.onabort = () => reject(new DOMException("Cancelled.", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
