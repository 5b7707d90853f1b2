// A block of code: its language, a copy button, highlighting.
import type { RootContent } from "hast";
import { memo, type ReactNode } from "react";
import { CopyButton } from "../parts/CopyButton";
import { lazily, useLoaded } from "../parts/lazily";

const highlighting = lazily(() => import("./highlighting"));

// An unfinished block is highlighted again with each chunk. Above this many characters that takes longer than a frame, so
// highlighting waits for the end of the block.
const MAX_WHILE_WRITTEN = 4000;

export const CodeBlock = memo(function CodeBlock(props: { text: string; language: string; isComplete: boolean }) {
  const { text, language, isComplete } = props;
  return (
    <div className="code">
      <div className="code-bar">
        <span>{language || "text"}</span>
        <CopyButton what="code" text={text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable content must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>
          {isComplete || text.length <= MAX_WHILE_WRITTEN ? <Highlighted text={text} language={language} /> : text}
        </code>
      </pre>
    </div>
  );
});

function Highlighted({ text, language }: { text: string; language: string }): ReactNode {
  const tree = useLoaded(highlighting)?.highlight(text, language);
  return tree ? spansOf(tree.children) : text;
}

function spansOf(nodes: RootContent[]): ReactNode[] {
  return nodes.map((node, index) => {
    if (node.type !== "element") return "value" in node ? node.value : null;
    const names = node.properties.className as string[];
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: its place identifies it
      <span key={index} className={names.join(" ")}>
        {spansOf(node.children)}
      </span>
    );
  });
}
