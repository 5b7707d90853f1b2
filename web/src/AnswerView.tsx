// An answer: its reasoning (collapsed), the Markdown, how it ended, and its stats.
import { Brain, RotateCcw } from "lucide-react";
import { memo, useEffect, useRef } from "react";
import { retry } from "./chat/answers";
import { currentModel } from "./chat/models";
import type { Answer, Stats } from "./conversations/types";
import { Markdown } from "./markdown/Markdown";
import { announce } from "./parts/announce";
import { CopyButton } from "./parts/CopyButton";
import { ErrorBoundary } from "./parts/ErrorBoundary";
import { IconButton } from "./parts/IconButton";
import { Waiting } from "./parts/Waiting";

interface Props {
  answer: Answer;
  isLast: boolean;
  /** In this tab. */
  isAnswering: boolean;
}

export const AnswerView = memo(function AnswerView({ answer, isLast, isAnswering }: Props) {
  const { model, content, thinking, state } = answer;
  const ending = isAnswering ? undefined : endingOf(answer);
  useSpoken(model, isAnswering, ending);
  return (
    <article className="answer" aria-busy={isAnswering}>
      <h2>{model}</h2>
      {thinking && (
        <details className="thinking">
          <summary>
            <Brain /> {isAnswering && !content ? "Thinking…" : "Reasoning"}
          </summary>
          <div>{thinking}</div>
        </details>
      )}
      {content && (
        <ErrorBoundary instead={<pre>{content}</pre>}>
          <Markdown text={content} isComplete={!isAnswering} />
        </ErrorBoundary>
      )}
      {isAnswering && state === "waiting" && <Waiting />}
      {ending && <p className={state === "failed" ? "error" : "note"}>{ending}</p>}
      {!isAnswering && (
        <footer>
          {content && <CopyButton what="answer" text={content} />}
          {isLast && <IconButton name="Try again" icon={RotateCcw} onClick={() => handleRetry(answer)} />}
          {answer.stats && <StatsView stats={answer.stats} />}
        </footer>
      )}
    </article>
  );
});

/** undefined for an answer that is simply complete. */
function endingOf({ state, error, cutByLength }: Answer): string | undefined {
  if (state === "failed") return error;
  if (state === "stopped") return "Stopped.";
  if (state === "complete") return cutByLength ? "Stopped at the length limit." : undefined;
  return "Interrupted: the page was closed, or another tab is still answering.";
}

/** Announces the start and the end to screen readers; Markdown announces the blocks between. */
function useSpoken(model: string, isAnswering: boolean, ending: string | undefined): void {
  const wasAnswering = useRef(false);
  useEffect(() => {
    if (isAnswering) announce(`${model} is answering.`);
    else if (wasAnswering.current) announce(ending ?? "The answer is complete.");
    wasAnswering.current = isAnswering;
  }, [model, isAnswering, ending]);
}

function StatsView({ stats: { tokens, tokensPerSecond, secondsToFirstToken } }: { stats: Stats }) {
  const speed = tokensPerSecond.toFixed(tokensPerSecond < 10 ? 1 : 0);
  return (
    <span className="stats">
      {speed} tokens/s · first token after {secondsToFirstToken.toFixed(2)} s · {tokens} tokens
    </span>
  );
}

function handleRetry(answer: Answer): void {
  const model = currentModel();
  if (model) void retry(answer, model);
}
