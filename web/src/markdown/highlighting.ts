// Syntax highlighting for common languages. A separate chunk, loaded with the first code block.
import "./highlighting.css";
import type { Root } from "hast";
import { common, createLowlight } from "lowlight";

const lowlight = createLowlight(common);

/** undefined for an unknown language. */
export function highlight(code: string, language: string): Root | undefined {
  return lowlight.registered(language) ? lowlight.highlight(language, code) : undefined;
}
