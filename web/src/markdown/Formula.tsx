// A formula: its TeX source until KaTeX can draw it.
import { memo } from "react";
import { lazily, useLoaded } from "../parts/lazily";
import { childrenOf } from "./elements";

const katex = lazily(() => import("./katex"));

export const Formula = memo(function Formula({ source, isDisplay }: { source: string; isDisplay: boolean }) {
  const tree = useLoaded(katex)?.drawn(source, isDisplay);
  return (
    <span className={`formula ${isDisplay ? "display" : "inline"}`} {...(isDisplay && { tabIndex: 0 })}>
      {tree ? childrenOf(tree) : <code>{source}</code>}
    </span>
  );
});
