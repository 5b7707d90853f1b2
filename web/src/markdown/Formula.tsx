// A formula: its TeX, until KaTeX can draw it.
import { toJsxRuntime } from "hast-util-to-jsx-runtime";
import { memo } from "react";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import { lazily, useLoaded } from "../parts/lazily";

const katex = lazily(() => import("./katex"));

export const Formula = memo(function Formula({ source, isDisplay }: { source: string; isDisplay: boolean }) {
  const tree = useLoaded(katex)?.drawn(source, isDisplay);
  return (
    <span className={`formula ${isDisplay ? "display" : "inline"}`} {...(isDisplay && { tabIndex: 0 })}>
      {tree ? toJsxRuntime(tree, { Fragment, jsx, jsxs, ignoreInvalidStyle: true }) : <code>{source}</code>}
    </span>
  );
});
