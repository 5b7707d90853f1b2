// Highlighting, with the common languages. A chunk of its own, which the first code block asks for.
import "./highlighting.css";
import type { Root } from "hast";
import { common, createLowlight } from "lowlight";

const lowlight = createLowlight(common);

/** → undefined for a language that is not known. */
export function highlight(code: string, language: string): Root | undefined {
  return lowlight.registered(language) ? lowlight.highlight(language, code) : undefined;
}
