// Turns sanitised DOM into React elements, which keep what is the same while an answer grows.
import { type ComponentType, createElement, type ReactNode } from "react";

export interface ElementProps {
  /** As DOMPurify left it. */
  node: Element;
  children?: ReactNode;
}

/** By tag: another tag, or what renders it. */
export type Components = Record<string, string | ComponentType<ElementProps>>;

export function childrenOf(parent: Node, components: Components = {}): ReactNode[] {
  return Array.from(parent.childNodes, (node, index) => {
    if (!(node instanceof Element)) return node.nodeValue;
    const type = components[node.localName] ?? node.localName;
    const props = typeof type === "string" ? propsOf(node) : { node };
    // An element's place in its parent identifies it.
    return createElement(type as ComponentType, { key: index, ...props } as object, ...childrenOf(node, components));
  });
}

/** Everything else has the same name in React, which gets a style as data: the page's policy forbids the attribute. */
function propsOf({ attributes }: Element): object {
  const all = Array.from(attributes, ({ name, value }) => {
    if (name === "class") return ["className", value];
    if (name === "data-style") return ["style", styleOf(value)];
    return [name, value];
  });
  return Object.fromEntries(all);
}

/** "margin-right:1em" → { marginRight: "1em" } */
function styleOf(css: string): object {
  const all = css.matchAll(/([\w-]+):([^;]+)/g);
  return Object.fromEntries(
    Array.from(all, ([, name = "", value]) => [
      name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}
