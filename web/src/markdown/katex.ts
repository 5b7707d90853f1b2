// KaTeX with its style and fonts. A chunk of its own, which the first formula asks for.
import "katex/dist/katex.css";
import katex from "katex";

/** Draws into `place`, by the DOM alone: the page's policy allows no style attributes in HTML. Bad TeX is shown as it is. */
export function draw(source: string, place: HTMLElement, isDisplay: boolean): void {
  // Bounded, because a model can write macros that never end.
  katex.render(source, place, { displayMode: isDisplay, throwOnError: false, maxExpand: 1000, maxSize: 20 });
}
