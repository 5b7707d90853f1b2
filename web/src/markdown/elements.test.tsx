import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, it } from "vitest";
import { type Components, childrenOf } from "./elements";

/** What React makes of this HTML. */
function rendered(html: string, components?: Components): string {
  const given = document.createElement("div");
  given.innerHTML = html;
  const place = document.createElement("div");
  act(() => createRoot(place).render(childrenOf(given, components)));
  return place.innerHTML;
}

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

it.each([
  '<p>One <strong>two</strong><br>three &lt;b&gt;</p><ol start="3"><li>four</li></ol>',
  '<table><tbody><tr><td data-align="right" class="a b">x</td></tr></tbody></table>',
  '<svg width="1em" viewBox="0 0 4 4" preserveAspectRatio="none"><path d="M0 0"></path></svg>',
  '<math xmlns="http://www.w3.org/1998/Math/MathML"><mo stretchy="false">+</mo></math>',
])("keeps %s", (html) => {
  expect(rendered(html)).toBe(html);
});

it("sets a style that comes as data", () => {
  const html = '<span data-style="margin-right:0.2em;top:-3.06em;"></span>';
  expect(rendered(html)).toBe('<span style="margin-right: 0.2em; top: -3.06em;"></span>');
});

const Link: Components[string] = ({ node, children }) => <u title={node.getAttribute("href") ?? ""}>{children}</u>;

it("replaces tags by others, and by components that see the element", () => {
  expect(rendered('<h1>A <a href="b">c</a></h1>', { h1: "h3", a: Link })).toBe('<h3>A <u title="b">c</u></h3>');
});
