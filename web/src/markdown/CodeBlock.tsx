// A block of code: its language, a copy button, highlighting.
import { toJsxRuntime } from "hast-util-to-jsx-runtime";
import { memo, type ReactNode } from "react";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import { CopyButton } from "../parts/CopyButton";
import { lazily, useLoaded } from "../parts/lazily";

const highlighting = lazily(() => import("./highlighting"));

// One that is still being written is highlighted anew with each chunk. Above this many characters that takes longer than
// a frame, so it waits until the block is complete.
const MAX_WHILE_WRITTEN = 4000;

export const CodeBlock = memo(function CodeBlock(props: { text: string; language: string; isComplete: boolean }) {
  const { text, language, isComplete } = props;
  return (
    <div className="code">
      <div className="code-bar">
        <span>{language || "text"}</span>
        <CopyButton what="code" text={text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
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
  return tree ? toJsxRuntime(tree, { Fragment, jsx, jsxs }) : text;
}
