// What stands in place of an answer until its first token.
import { useEffect, useState } from "react";

// Longer than a model that is loaded takes for most questions.
const LONG_MILLISECONDS = 4000;

export function Waiting() {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setLong(true), LONG_MILLISECONDS);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <p className="waiting">
      Waiting for the first token…{isLong && " Loading a large model can take a minute, and others may be before you."}
    </p>
  );
}
