// KaTeX with its style and fonts. A chunk of its own, which the first formula asks for.
import "katex/dist/katex.css";
import DOMPurify from "dompurify";
import type { Nodes } from "hast";
import { fromDom } from "hast-util-from-dom";
import katex from "katex";

// Bounded, because a model can write macros that never end.
const LIMITS = { maxExpand: 1000, maxSize: 20 };
// MathML, for screen readers, with its source: DOMPurify leaves these two out by itself.
const ALLOWED = { RETURN_DOM_FRAGMENT: true as const, ADD_TAGS: ["semantics", "annotation"] };

/** → undefined for what is not TeX, or not yet. */
export function drawn(source: string, isDisplay: boolean): Nodes | undefined {
  try {
    const html = katex.renderToString(source, { displayMode: isDisplay, ...LIMITS });
    // The page's policy allows no style attributes. As data they pass, and React sets each property by itself.
    const tree = fromDom(DOMPurify.sanitize(html.replaceAll(' style="', ' data-style="'), ALLOWED)) as Nodes;
    return withStyles(tree);
  } catch (error) {
    if (error instanceof katex.ParseError) return undefined;
    throw error;
  }
}

function withStyles(node: Nodes): Nodes {
  if (node.type === "element" && node.properties.dataStyle) {
    node.properties.style = String(node.properties.dataStyle);
    delete node.properties.dataStyle;
  }
  if ("children" in node) node.children.forEach(withStyles);
  return node;
}
