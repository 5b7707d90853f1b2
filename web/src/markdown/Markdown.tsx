// Renders an answer's Markdown. The model's output is sanitised twice: the parser treats its HTML as text, and DOMPurify
// allows only what is listed here in the parser's output.
import DOMPurify from "dompurify";
import { Square, SquareCheck } from "lucide-react";
import { createContext, memo, type ReactNode, type RefObject, use, useEffect, useRef } from "react";
import { announce } from "../parts/announce";
import { CodeBlock } from "./CodeBlock";
import { type Components, childrenOf, type ElementProps } from "./elements";
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
  // Every attribute's value must match this, except those listed below.
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
        // Blocks are only ever appended.
        // biome-ignore lint/suspicious/noArrayIndexKey: so the index identifies a block
        <Block key={index} html={html} isComplete={isComplete || index < blocks.length - 1} />
      ))}
    </div>
  );
}

/** Announces each block when it is finished: a screen reader could not follow token by token. */
function useSpoken(finished: number, isComplete: boolean): RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  // An answer that was complete from the start needs no announcement.
  const spoken = useRef(isComplete ? finished : 0);
  useEffect(() => {
    const blocks = Array.from(place.current?.children ?? []).slice(spoken.current, finished);
    if (blocks.length) announce(blocks.map(({ textContent }) => textContent).join("\n"));
    spoken.current = Math.max(spoken.current, finished);
  }, [finished]);
  return place;
}

/** Whether a block is finished. */
const IsComplete = createContext(true);

const Block = memo(function Block({ html, isComplete }: { html: string; isComplete: boolean }) {
  return <IsComplete value={isComplete}>{childrenOf(DOMPurify.sanitize(html, ALLOWED), COMPONENTS)}</IsComplete>;
});

const COMPONENTS: Components = {
  // Below the page's own headings: an answer's is level 2.
  h1: "h3",
  h2: "h4",
  h3: "h5",
  h4: "h6",
  h5: "h6",
  pre: Code,
  a: ({ node, children }) => {
    const href = node.getAttribute("href");
    return href ? (
      <a href={href} target="_blank" rel="noopener noreferrer">
        {children}
      </a>
    ) : (
      children
    );
  },
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable content must be reachable by keyboard
    <figure className="table" aria-label="Table" tabIndex={0}>
      <table>{children}</table>
    </figure>
  ),
  input: ({ node }) =>
    node.hasAttribute("checked") ? (
      <SquareCheck aria-label="done" role="img" />
    ) : (
      <Square aria-label="to do" role="img" />
    ),
  span: ({ node, children }) => {
    const kind = node.getAttribute("data-formula");
    return kind ? <Formula source={node.textContent ?? ""} isDisplay={kind === "display"} /> : <span>{children}</span>;
  },
};

function Code({ node }: ElementProps): ReactNode {
  const [name = ""] = node.firstElementChild?.classList ?? [];
  return (
    <CodeBlock text={node.textContent ?? ""} language={name.replace(/^language-/, "")} isComplete={use(IsComplete)} />
  );
}
