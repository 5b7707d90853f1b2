// Copies text, and confirms it briefly.
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { copy } from "./copy";

const SHOWN_MILLISECONDS = 1500;

export function CopyButton({ what, text }: { what: string; text: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = window.setTimeout(() => setCopied(false), SHOWN_MILLISECONDS);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  return (
    <button
      type="button"
      className="icon"
      aria-label={isCopied ? "Copied" : `Copy ${what}`}
      title={isCopied ? "Copied" : `Copy ${what}`}
      onClick={async () => setCopied(await copy(text))}
    >
      {isCopied ? <Check /> : <Copy />}
    </button>
  );
}
