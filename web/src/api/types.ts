// The parts of the API's requests and responses that the page uses.

export interface Model {
  name: string;
  /** Bytes on disk. */
  size: number;
  details: { parameter_size?: string; quantization_level?: string; context_length?: number };
  /** "completion", "vision", "thinking", …; missing in older versions of Ollama. */
  capabilities?: string[];
}

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
  /** Base64, without a `data:` prefix. */
  images?: string[];
}

export interface ChatOptions {
  temperature?: number;
  /** The context length, in tokens. */
  num_ctx?: number;
}

export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  options?: ChatOptions;
}

/** One line of an answer. The last has `done: true`; durations are in nanoseconds. */
export interface ChatChunk {
  message?: { content?: string; thinking?: string };
  done: boolean;
  done_reason?: string;
  total_duration?: number;
  prompt_eval_count?: number;
  eval_count?: number;
  eval_duration?: number;
  error?: string;
}

export interface Upload {
  filename: string;
  download_path: string;
}

export type Role = "admin" | "member";

export interface Account {
  id: string;
  email: string;
  /** May be empty. */
  name: string;
  role: Role;
  managed_by: "settings" | "page" | "oidc";
}
