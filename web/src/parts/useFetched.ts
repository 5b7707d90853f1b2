// What the API answers when a view opens.
import { useCallback, useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { messageOf } from "../api/errors";

interface Fetched<Value> {
  /** undefined until it is there. */
  value: Value | undefined;
  /** Why it is not. */
  error: string;
  refresh: () => Promise<void>;
}

/** `ask` must be the same function each time. */
export function useFetched<Value>(ask: () => Promise<Value>): Fetched<Value> {
  const [value, setValue] = useState<Value>();
  const [error, setError] = useState("");
  const refresh = useCallback(async () => {
    try {
      const found = await ask();
      // At once: a dialog that closes next must not return the focus to what is gone.
      flushSync(() => setValue(found));
      setError("");
    } catch (reason) {
      setError(messageOf(reason));
    }
  }, [ask]);
  useEffect(() => void refresh(), [refresh]);
  return { value, error, refresh };
}
