// A conversation as it is kept in this browser: what was asked, what was answered, with which settings.

export interface Settings {
  /** What the model is told before the conversation. Empty for nothing. */
  system: string;
  /** null: as the model has it. */
  temperature: number | null;
  /** In tokens. null: as the server has it. */
  contextLength: number | null;
}

export interface Conversation extends Settings {
  id: string;
  title: string;
  /** Milliseconds since 1970, as all times here. */
  updatedAt: number;
}

/** A file of a question: on the server, and what of it the model is given. */
export interface Attachment {
  name: string;
  /** In bytes. */
  size: number;
  downloadPath: string;
  /** What goes into the message, of a text file. */
  text?: string;
  /** What goes to the model, of an image. */
  image?: Blob;
  /** What does not, for a person to read. */
  leftOut?: string;
}

export interface Question {
  role: "user";
  id: string;
  conversationId: string;
  /** Orders the messages of a conversation. */
  position: number;
  content: string;
  attachments: Attachment[];
}

/** waiting: no token yet. stopped: by the person. failed: see `problem`. */
export type AnswerState = "waiting" | "writing" | "complete" | "stopped" | "failed";

/** From the last chunk. */
export interface Figures {
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
  problem?: string;
  /** It is as long as the model may answer, and so perhaps not whole. */
  cutByLength?: boolean;
  figures?: Figures;
}

export type Message = Question | Answer;
