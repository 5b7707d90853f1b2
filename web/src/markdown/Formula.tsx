// A formula: its TeX, until KaTeX has drawn it.
import { memo, useEffect, useRef } from "react";

export const Formula = memo(function Formula({ source, isDisplay }: { source: string; isDisplay: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let isWanted = true;
    import("./katex").then(
      ({ draw }) => {
        if (isWanted && place.current) draw(source, place.current, isDisplay);
      },
      // It cannot be fetched: the TeX stays.
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [source, isDisplay]);
  return (
    // The key makes React begin anew with another source: what is inside belongs to KaTeX.
    <span
      key={source}
      ref={place}
      className={`formula ${isDisplay ? "display" : "inline"}`}
      {...(isDisplay && { tabIndex: 0 })}
    >
      {source}
    </span>
  );
});
