// What the API takes and gives, as far as the page uses it.

export interface Model {
  name: string;
  /** Bytes on disk. */
  size: number;
  details: { parameter_size?: string; quantization_level?: string; context_length?: number };
  /** "completion", "vision", "thinking", …; older versions of Ollama do not say. */
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
