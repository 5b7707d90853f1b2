// A conversation as this browser stores it: questions, answers and settings.

export interface Settings {
  /** The system prompt; may be empty. */
  system: string;
  /** null: the model's default. */
  temperature: number | null;
  /** In tokens. null: the server's default. */
  contextLength: number | null;
}

export interface Conversation extends Settings {
  id: string;
  /** The id of the account that it belongs to. Missing in what version 0.2 stored: that is the next account's. */
  owner?: string;
  title: string;
  /** Milliseconds since 1970. */
  updatedAt: number;
}

/** A file attached to a question: where it is on the server, and what the model gets of it. */
export interface Attachment {
  name: string;
  /** In bytes. */
  size: number;
  downloadPath: string;
  /** A text file's content, for the message. */
  text?: string;
  /** An image, as sent to the model. */
  image?: Blob;
  /** Why the model doesn't get all of it, for people to read. */
  leftOut?: string;
}

export interface Question {
  role: "user";
  id: string;
  conversationId: string;
  /** Its order in the conversation. */
  position: number;
  content: string;
  attachments: Attachment[];
}

/** waiting: no token yet. stopped: by the person. failed: see `error`. */
export type AnswerState = "waiting" | "writing" | "complete" | "stopped" | "failed";

/** From the last chunk. */
export interface Stats {
  tokens: number;
  tokensPerSecond: number;
  secondsToFirstToken: number;
}

export interface Answer {
  role: "assistant";
  id: string;
  conversationId: string;
  position: number;
  model: string;
  content: string;
  thinking: string;
  state: AnswerState;
  error?: string;
  /** The model hit its length limit. */
  cutByLength?: boolean;
  stats?: Stats;
}

export type Message = Question | Answer;
