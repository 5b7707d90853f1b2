// The API's endpoints as functions. Each raises Refused or Unreachable, waits for a login when the token has expired, and
// goes on by itself afterwards.
import { BrokenOff, detailOf, isAbort, Refused, Unreachable } from "./errors";
import { linesOf } from "./ndjson";
import { expire, token } from "./session";
import type { ChatChunk, ChatRequest, Model, Upload } from "./types";

// The page's own origin, unless it is developed elsewhere.
const API: string = import.meta.env.VITE_API_URL ?? "";
const UNAUTHORIZED = 401;

/** The API's own, interactive. */
export const DOCUMENTATION = `${API}/docs`;

/** → the token. 401 for a wrong password, 429 after too many. */
export async function login(email: string, password: string): Promise<string> {
  const body = JSON.stringify({ email, password });
  const response = await ask("/login", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  const { access_token } = (await response.json()) as { access_token: string };
  return access_token;
}

export async function listModels(): Promise<Model[]> {
  const response = await askWithToken("/models");
  const { models } = (await response.json()) as { models: Model[] | null };
  return models ?? [];
}

/** Yields each chunk as it arrives; aborting `signal` frees Ollama. Raises BrokenOff when no last chunk came. */
export async function* chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk> {
  const headers = { "Content-Type": "application/json" };
  const response = await askWithToken("/chat", { method: "POST", headers, body: JSON.stringify(request), signal });
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
    // The connection broke, or a line was cut in two.
  }
  signal.throwIfAborted();
  if (!isDone) throw new BrokenOff();
}

/** By its `download_path`. */
export async function download(path: string): Promise<Blob> {
  return (await askWithToken(path)).blob();
}

/** `onProgress` gets the share that has been sent, 0 to 1. An upload that is aborted leaves nothing behind. */
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

// XMLHttpRequest, because fetch does not tell how much of a body has been sent.
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
