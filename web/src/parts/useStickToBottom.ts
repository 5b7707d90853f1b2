// Keeps growing content scrolled to the bottom until the person scrolls up.
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

// Within this distance counts as at the bottom.
const NEAR_PIXELS = 48;

interface StickToBottom {
  /** The scroll container. */
  view: RefObject<HTMLElement | null>;
  /** The growing content inside it. */
  content: RefObject<HTMLDivElement | null>;
  isAtBottom: boolean;
  scrollToBottom: () => void;
}

export function useStickToBottom(): StickToBottom {
  const view = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const [isAtBottom, setAtBottom] = useState(true);

  const scrollToBottom = useCallback(() => {
    follows.current = true;
    view.current?.scrollTo({ top: view.current.scrollHeight });
  }, []);

  useEffect(() => {
    const scrolling = view.current;
    if (!scrolling || !content.current) return;
    let top = scrolling.scrollTop;
    const scrolled = () => {
      const isNear = scrolling.scrollHeight - scrolling.clientHeight - scrolling.scrollTop < NEAR_PIXELS;
      // Growing content moves the bottom away, but only a person scrolls up.
      if (isNear) follows.current = true;
      else if (scrolling.scrollTop < top) follows.current = false;
      top = scrolling.scrollTop;
      setAtBottom(isNear || follows.current);
    };
    const grown = new ResizeObserver(() => {
      if (follows.current) scrolling.scrollTop = scrolling.scrollHeight;
      else scrolled();
    });
    grown.observe(content.current);
    grown.observe(scrolling);
    scrolling.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      grown.disconnect();
      scrolling.removeEventListener("scroll", scrolled);
    };
  }, []);

  return { view, content, isAtBottom, scrollToBottom };
}
