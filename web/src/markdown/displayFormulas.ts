// A markdown-it rule for where a display formula ends: models write `$$x$$, where x is …`, a formula followed by text, and
// @mdit/plugin-tex takes all of that as the formula. The plugin still handles inline formulas and rendering.
import type MarkdownIt from "markdown-it";
import type StateBlock from "markdown-it/lib/rules_block/state_block.mjs";
import type StateInline from "markdown-it/lib/rules_inline/state_inline.mjs";

const DISPLAY = [
  { open: "$$", close: "$$" },
  { open: "\\[", close: "\\]" },
];

/** Must be used after that plugin, because it replaces some of its rules. */
export function displayFormulas(markdown: MarkdownIt): void {
  markdown.block.ruler.disable(["math_block_dollar", "math_block_bracket"]);
  markdown.block.ruler.before("math_block_dollar", "display", displayBlock, {
    alt: ["paragraph", "reference", "blockquote", "list"],
  });
  markdown.inline.ruler.before("escape", "display", displayAmongWords);
}

/** On one or more lines of its own. Without an end it is still being written. */
function displayBlock(state: StateBlock, start: number, end: number, silent: boolean): boolean {
  const lineAt = (line: number) => state.getLines(line, line + 1, state.blkIndent, false).trim();
  const kind = DISPLAY.find(({ open }) => lineAt(start).startsWith(open));
  if (!kind || (state.sCount[start] ?? 0) - state.blkIndent > 3) return false;
  const lines: string[] = [];
  let isClosed = false;
  let line = start;
  for (; line < end && !isClosed; line += 1) {
    const text = lineAt(line).slice(line === start ? 2 : 0);
    if (text && line > start && (state.sCount[line] ?? 0) < state.blkIndent) break;
    const closing = text.indexOf(kind.close);
    isClosed = closing !== -1;
    // Text follows: this is a paragraph that contains a formula.
    if (isClosed && closing + 2 < text.length) return false;
    lines.push(isClosed ? text.slice(0, closing) : text);
  }
  // So far this looks like an escaped bracket.
  if (!isClosed && kind.open === "\\[") return false;
  // Inside a paragraph this could also be the end of a formula that started there.
  if (silent) return isClosed && !lines.slice(1, -1).includes("");
  state.line = line;
  const token = state.push("math_block", "math", 0);
  Object.assign(token, { block: true, content: lines.join("\n").trim(), map: [start, line], markup: kind.open });
  return true;
}

function displayAmongWords(state: StateInline, silent: boolean): boolean {
  const kind = DISPLAY.find(({ open }) => state.src.startsWith(open, state.pos));
  const closing = kind ? state.src.indexOf(kind.close, state.pos + 2) : -1;
  if (!kind || closing <= state.pos + 2) return false;
  if (!silent) state.push("math_block", "math", 0).content = state.src.slice(state.pos + 2, closing).trim();
  state.pos = closing + 2;
  return true;
}
