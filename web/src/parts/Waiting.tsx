// Shown in place of an answer until its first token.
import { useEffect, useState } from "react";

// Longer than a loaded model takes for most questions.
const LONG_MILLISECONDS = 4000;

export function Waiting() {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setLong(true), LONG_MILLISECONDS);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <p className="waiting">
      Waiting for the first token…
      {isLong && " Large models can take a minute to load, and other requests may be ahead of yours."}
    </p>
  );
}
