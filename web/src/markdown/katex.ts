// KaTeX with its styles and fonts. A separate chunk, loaded with the first formula.
import "katex/dist/katex.css";
import DOMPurify from "dompurify";
import katex from "katex";

// Bounded, because a model can write macros that expand forever.
const LIMITS = { maxExpand: 1000, maxSize: 20 };
// MathML for screen readers, with its TeX source: DOMPurify does not allow these two by default.
const ALLOWED = { RETURN_DOM_FRAGMENT: true as const, ADD_TAGS: ["semantics", "annotation"] };

/** undefined if it is not valid TeX, or not yet. */
export function drawn(source: string, isDisplay: boolean): DocumentFragment | undefined {
  try {
    const html = katex.renderToString(source, { displayMode: isDisplay, ...LIMITS });
    // The page's policy forbids style attributes. As data, React sets each property separately.
    return DOMPurify.sanitize(html.replaceAll(' style="', ' data-style="'), ALLOWED);
  } catch (error) {
    if (error instanceof katex.ParseError) return undefined;
    throw error;
  }
}
