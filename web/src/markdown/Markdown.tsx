// An answer's Markdown on the page. What the model wrote is sanitised twice over: its HTML is text to the parser, and of what
// the parser made, DOMPurify lets through what is listed here.
import DOMPurify from "dompurify";
import type { Element, Nodes } from "hast";
import { fromDom } from "hast-util-from-dom";
import { type Components, toJsxRuntime } from "hast-util-to-jsx-runtime";
import { Square, SquareCheck } from "lucide-react";
import { createContext, memo, type ReactNode, type RefObject, use, useEffect, useRef } from "react";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import { announce } from "../parts/announce";
import { CodeBlock } from "./CodeBlock";
import { Formula } from "./Formula";
import { GrowingMarkdown } from "./parser";

const ALLOWED = {
  ALLOWED_TAGS: [
    ...["p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "input", "pre", "code"],
    ...["table", "thead", "tbody", "tr", "th", "td", "a", "strong", "em", "s", "span", "#text"],
  ],
  ALLOWED_ATTR: ["href", "title", "class", "start", "type", "checked", "data-align", "data-formula"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  // Of every attribute's value but these, this is what it has to be.
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ADD_URI_SAFE_ATTR: ["start", "type", "checked", "data-align", "data-formula"],
  RETURN_DOM_FRAGMENT: true as const,
};

export function Markdown({ text, isComplete }: { text: string; isComplete: boolean }): ReactNode {
  const growing = useRef<GrowingMarkdown>(null);
  growing.current ??= new GrowingMarkdown();
  const blocks = growing.current.blocksOf(text, isComplete);
  const place = useSpoken(isComplete ? blocks.length : blocks.length - 1, isComplete);
  return (
    <div className="markdown" dir="auto" ref={place}>
      {blocks.map((html, index) => (
        // Blocks only ever come at the end.
        // biome-ignore lint/suspicious/noArrayIndexKey: that makes the index their identity
        <Block key={index} html={html} isComplete={isComplete || index < blocks.length - 1} />
      ))}
    </div>
  );
}

/** Has each block read out when it is finished: token by token a screen reader could not follow. */
function useSpoken(finished: number, isComplete: boolean): RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  // What is complete from the beginning has been read.
  const spoken = useRef(isComplete ? finished : 0);
  useEffect(() => {
    const blocks = Array.from(place.current?.children ?? []).slice(spoken.current, finished);
    if (blocks.length) announce(blocks.map(({ textContent }) => textContent).join("\n"));
    spoken.current = Math.max(spoken.current, finished);
  }, [finished]);
  return place;
}

/** Whether a block is not written at any more. */
const IsComplete = createContext(true);

const Block = memo(function Block({ html, isComplete }: { html: string; isComplete: boolean }) {
  const tree = fromDom(DOMPurify.sanitize(html, ALLOWED)) as Nodes;
  const elements = toJsxRuntime(tree, { Fragment, jsx, jsxs, passNode: true, components: COMPONENTS });
  return <IsComplete value={isComplete}>{elements}</IsComplete>;
});

const heading = (level: "h3" | "h4" | "h5" | "h6") => level;

// Below the page's own headings, of which the last is an answer's, of level 2.
const HEADINGS = {
  h1: heading("h3"),
  h2: heading("h4"),
  h3: heading("h5"),
  h4: heading("h6"),
  h5: heading("h6"),
  h6: heading("h6"),
};

const COMPONENTS: Components = {
  ...HEADINGS,
  pre: Code,
  a: ({ href, children }) =>
    href ? (
      <a href={href} target="_blank" rel="noopener noreferrer">
        {children}
      </a>
    ) : (
      children
    ),
  table: ({ node: _, ...table }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <figure className="table" aria-label="Table" tabIndex={0}>
      <table {...table} />
    </figure>
  ),
  input: ({ checked }) =>
    checked ? <SquareCheck aria-label="done" role="img" /> : <Square aria-label="to do" role="img" />,
  span: ({ node, children }) => {
    const kind = node?.properties.dataFormula;
    return kind ? <Formula source={textOf(node)} isDisplay={kind === "display"} /> : <span>{children}</span>;
  },
};

function Code({ node }: { node?: Element | undefined }): ReactNode {
  const inner = node?.children.find((child) => child.type === "element");
  const [name] = (inner?.properties.className as string[] | undefined) ?? [];
  return (
    <CodeBlock text={textOf(node)} language={name?.replace(/^language-/, "") ?? ""} isComplete={use(IsComplete)} />
  );
}

function textOf(node: Nodes | undefined): string {
  if (!node) return "";
  if (node.type === "text") return node.value;
  return "children" in node ? node.children.map(textOf).join("") : "";
}
