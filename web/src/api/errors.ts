// What can go wrong when the API is asked, in words for a person.

/** The API or Ollama answered with an error. `status` is HTTP's. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** No answer at all: LocalChat is down, or the network is. */
export class Unreachable extends Error {
  constructor() {
    super("LocalChat cannot be reached. Is it running, and this machine on its network?");
  }
}

/** The answer ended before its last line, so it is not whole. */
export class BrokenOff extends Error {
  constructor() {
    super("The answer broke off before it was complete.");
  }
}

/** The words of an error's body: `detail` is LocalChat's, `error` is Ollama's. */
export function detailOf(body: string, status: number): string {
  try {
    const { detail, error } = JSON.parse(body) as { detail?: unknown; error?: unknown };
    if (typeof detail === "string") return detail;
    if (typeof error === "string") return wordsOf(error);
    if (Array.isArray(detail)) return detail.map((one: { msg?: string }) => one.msg).join("; ");
  } catch {
    // Not JSON: something else answered, such as another proxy.
  }
  return `The server answered with status ${status}.`;
}

// Ollama hands on its runner's errors as JSON inside of its own.
function wordsOf(error: string): string {
  try {
    const inner = JSON.parse(error) as { error?: { message?: unknown } };
    if (typeof inner.error?.message === "string") return inner.error.message;
  } catch {
    // Plain words, as nearly always.
  }
  return error;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
