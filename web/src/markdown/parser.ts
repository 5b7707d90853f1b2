// Parses Markdown to HTML block by block while it is being streamed; finished blocks are not parsed again.
import { tasklist } from "@mdit/plugin-tasklist";
import { tex } from "@mdit/plugin-tex";
import MarkdownIt from "markdown-it";
import type { RenderRule } from "markdown-it/lib/renderer.mjs";
import type Token from "markdown-it/lib/token.mjs";
import { displayFormulas } from "./displayFormulas";

// The model's HTML is shown as text. Its images become links: loading one could tell a server what was asked here.
const markdown = new MarkdownIt({ html: false, linkify: true })
  .use(tex, { delimiters: "all", render: formula })
  .use(displayFormulas)
  .use(tasklist, { label: false });
// `example.md` is a file name far more often than a site in Moldova.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });

const { escapeHtml } = markdown.utils;

// KaTeX draws it later, in the page.
function formula(source: string, isDisplay: boolean): string {
  return `<span data-formula="${isDisplay ? "display" : "inline"}">${escapeHtml(source)}</span>`;
}

markdown.renderer.rules.image = (tokens, index) => {
  const image = tokens[index] as Token;
  return `<a href="${escapeHtml(image.attrGet("src") ?? "")}">${escapeHtml(image.content || "image")}</a>`;
};

// As data, because the page's policy forbids style attributes.
const aligned: RenderRule = (tokens, index, options, _env, self) => {
  const cell = tokens[index] as Token;
  const [, alignment] = /text-align:(\w+)/.exec(cell.attrGet("style") ?? "") ?? [];
  cell.attrs = alignment ? [["data-align", alignment]] : null;
  return self.renderToken(tokens, index, options);
};
markdown.renderer.rules.th_open = aligned;
markdown.renderer.rules.td_open = aligned;

interface Block {
  /** Its first line, relative to where parsing started. */
  line: number;
  html: string;
}

/** Parses one text as it grows. */
export class GrowingMarkdown {
  #finished: string[] = [];
  #finishedText = "";

  /** The HTML of each block. If the text only grew, all but the last blocks are unchanged. */
  blocksOf(text: string, isComplete: boolean): readonly string[] {
    // Finally parsed as a whole, because a link may be defined further down.
    if (isComplete) return parse(text).map(({ html }) => html);
    if (!text.startsWith(this.#finishedText)) this.#forget();
    const rest = text.slice(this.#finishedText.length);
    const blocks = parse(rest);
    const last = blocks.at(-1);
    if (!last) return this.#finished;
    // Only the last block can still change.
    this.#finished = [...this.#finished, ...blocks.slice(0, -1).map(({ html }) => html)];
    this.#finishedText += rest.slice(0, offsetOf(rest, last.line));
    return [...this.#finished, last.html];
  }

  #forget(): void {
    this.#finished = [];
    this.#finishedText = "";
  }
}

function parse(text: string): Block[] {
  const env = {};
  const tokens = markdown.parse(text, env);
  return topLevel(tokens).map((block) => ({
    line: block[0]?.map?.[0] ?? 0,
    html: markdown.renderer.render(block, markdown.options, env),
  }));
}

function topLevel(tokens: readonly Token[]): Token[][] {
  const blocks: Token[][] = [];
  let begun: Token[] = [];
  let depth = 0;
  for (const token of tokens) {
    begun.push(token);
    depth += token.nesting;
    if (depth === 0) {
      blocks.push(begun);
      begun = [];
    }
  }
  return blocks;
}

function offsetOf(text: string, line: number): number {
  if (line === 0) return 0;
  // The parser's line endings.
  const ends = Array.from(text.matchAll(/\r\n?|\n/g), (end) => end.index + end[0].length);
  return ends[line - 1] ?? text.length;
}
