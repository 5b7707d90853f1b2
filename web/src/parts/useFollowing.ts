// Keeps the end of something that grows in sight, until the person scrolls up.
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

// So near the end is at the end.
const NEAR_PIXELS = 48;

interface Following {
  /** What scrolls. */
  view: RefObject<HTMLElement | null>;
  /** What grows, inside of it. */
  content: RefObject<HTMLDivElement | null>;
  isAtEnd: boolean;
  toEnd: () => void;
}

export function useFollowing(): Following {
  const view = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const [isAtEnd, setAtEnd] = useState(true);

  const toEnd = useCallback(() => {
    follows.current = true;
    view.current?.scrollTo({ top: view.current.scrollHeight });
  }, []);

  useEffect(() => {
    const scrolling = view.current;
    if (!scrolling || !content.current) return;
    let top = scrolling.scrollTop;
    const scrolled = () => {
      const isNear = scrolling.scrollHeight - scrolling.clientHeight - scrolling.scrollTop < NEAR_PIXELS;
      // What grows meanwhile moves the end away, but only a person moves upwards.
      if (isNear) follows.current = true;
      else if (scrolling.scrollTop < top) follows.current = false;
      top = scrolling.scrollTop;
      setAtEnd(isNear || follows.current);
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

  return { view, content, isAtEnd, toEnd };
}
