// What can go wrong when the API is called, worded for a person.

/** The API or Ollama answered with an error. `status` is HTTP's. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** No response at all: LocalChat or the network is down. */
export class Unreachable extends Error {
  constructor() {
    super("Can't reach LocalChat. Check that it is running and that you are on its network.");
  }
}

/** The answer ended before its last line, so it is incomplete. */
export class BrokenOff extends Error {
  constructor() {
    super("The connection was lost before the answer finished.");
  }
}

/** The text of an error's body: `detail` is LocalChat's, `error` is Ollama's. */
export function detailOf(body: string, status: number): string {
  try {
    const { detail, error } = JSON.parse(body) as { detail?: unknown; error?: unknown };
    if (typeof detail === "string") return detail;
    if (typeof error === "string") return textOf(error);
    if (Array.isArray(detail)) return detail.map((one: { msg?: string }) => one.msg).join("; ");
  } catch {
    // Not JSON: something else responded, such as another proxy.
  }
  return `The server returned status ${status}.`;
}

// Ollama nests its runner's errors as JSON inside its own.
function textOf(error: string): string {
  try {
    const inner = JSON.parse(error) as { error?: { message?: unknown } };
    if (typeof inner.error?.message === "string") return inner.error.message;
  } catch {
    // Plain text, as nearly always.
  }
  return error;
}

// Why the identity provider's login failed: the API names the reason in the page's address.
const REASONS: Record<string, string> = {
  denied: "The identity provider did not let you in, or you cancelled.",
  disabled: "Your account is disabled.",
  "email-missing": "The identity provider gave no valid email address of yours, which LocalChat needs.",
  "email-taken":
    "There is already an account with your email address. Log in with its password, or ask an administrator.",
  expired: "That took too long, or began in another browser. Start again.",
  "not-allowed": "The identity provider knows you, but you may not use LocalChat. Ask an administrator.",
  "too-many": "Too many failed logins from this address. Try again in a minute.",
  unavailable: "The identity provider is unreachable. Try again in a moment.",
};

export const reasonOf = (code: string): string => REASONS[code] ?? "The login with the identity provider failed.";

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
