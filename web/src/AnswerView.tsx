// An answer: the thinking folded away, the Markdown, how it ended and what it took.
import { Brain, RotateCcw } from "lucide-react";
import { memo, useEffect, useRef } from "react";
import { retry } from "./chat/answers";
import { currentModel } from "./chat/models";
import type { Answer, Figures } from "./conversations/types";
import { Markdown } from "./markdown/Markdown";
import { announce } from "./parts/announce";
import { Boundary } from "./parts/Boundary";
import { CopyButton } from "./parts/CopyButton";
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
            <Brain /> {isAnswering && !content ? "Thinking…" : "Thoughts"}
          </summary>
          <div>{thinking}</div>
        </details>
      )}
      {content && (
        <Boundary instead={<pre>{content}</pre>}>
          <Markdown text={content} isComplete={!isAnswering} />
        </Boundary>
      )}
      {isAnswering && state === "waiting" && <Waiting />}
      {ending && <p className={state === "failed" ? "problem" : "note"}>{ending}</p>}
      {!isAnswering && (
        <footer>
          {content && <CopyButton what="answer" text={content} />}
          {isLast && <IconButton name="Try again" icon={RotateCcw} onClick={() => tryAgain(answer)} />}
          {answer.figures && <FiguresView figures={answer.figures} />}
        </footer>
      )}
    </article>
  );
});

/** What is to be known about an answer that is not simply complete. */
function endingOf({ state, problem, cutByLength }: Answer): string | undefined {
  if (state === "failed") return problem;
  if (state === "stopped") return "Stopped.";
  if (state === "complete")
    return cutByLength ? "Cut off here: the answer is as long as the model may make it." : undefined;
  return "Not complete: the page was closed meanwhile, or it is being answered in another tab.";
}

/** Has the beginning and the end read out; what is between, Markdown does. */
function useSpoken(model: string, isAnswering: boolean, ending: string | undefined): void {
  const wasAnswering = useRef(false);
  useEffect(() => {
    if (isAnswering) announce(`${model} is answering.`);
    else if (wasAnswering.current) announce(ending ?? "The answer is complete.");
    wasAnswering.current = isAnswering;
  }, [model, isAnswering, ending]);
}

function FiguresView({ figures: { tokens, tokensPerSecond, secondsToFirstToken } }: { figures: Figures }) {
  const speed = tokensPerSecond.toFixed(tokensPerSecond < 10 ? 1 : 0);
  return (
    <span className="figures">
      {speed} tokens/s · first token after {secondsToFirstToken.toFixed(2)} s · {tokens} tokens
    </span>
  );
}

function tryAgain(answer: Answer): void {
  const model = currentModel();
  if (model) void retry(answer, model);
}
