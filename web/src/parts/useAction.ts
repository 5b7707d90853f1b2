// Something that is asked of the API at the press of a button, and why it failed.
import { useState } from "react";
import { messageOf } from "../api/errors";

interface Action {
  error: string;
  isBusy: boolean;
  /** Returns whether it worked. */
  run: (action: () => Promise<unknown>) => Promise<boolean>;
}

export function useAction(): Action {
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  async function run(action: () => Promise<unknown>): Promise<boolean> {
    if (isBusy) return false;
    setBusy(true);
    setError("");
    try {
      await action();
      return true;
    } catch (reason) {
      setError(messageOf(reason));
      return false;
    } finally {
      setBusy(false);
    }
  }
  return { error, isBusy, run };
}
