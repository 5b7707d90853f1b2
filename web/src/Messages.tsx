// What was asked and answered, the end in sight.
import { ArrowDown } from "lucide-react";
import { useEffect } from "react";
import { AnswerView } from "./AnswerView";
import { useConversations } from "./conversations/store";
import type { Message } from "./conversations/types";
import { IconButton } from "./parts/IconButton";
import { useFollowing } from "./parts/useFollowing";
import { QuestionView } from "./QuestionView";

export function Messages({ id, messages }: { id: string; messages: readonly Message[] }) {
  const isAnswering = useConversations(({ answering }) => answering.includes(id));
  const { view, content, isAtEnd, toEnd } = useFollowing();
  const lastQuestionId = messages.findLast(({ role }) => role === "user")?.id;
  useEffect(() => {
    if (lastQuestionId) toEnd();
  }, [lastQuestionId, toEnd]);

  return (
    <div className="messages-frame">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section className="messages" ref={view} tabIndex={0} aria-label="Messages">
        <div ref={content}>
          {messages.map((message, index) =>
            message.role === "user" ? (
              <QuestionView key={message.id} question={message} isLast={message.id === lastQuestionId} />
            ) : (
              <AnswerView
                key={message.id}
                answer={message}
                isLast={index === messages.length - 1}
                isAnswering={isAnswering && index === messages.length - 1}
              />
            ),
          )}
        </div>
      </section>
      {!isAtEnd && <IconButton name="To the end" icon={ArrowDown} className="to-end" onClick={toEnd} />}
    </div>
  );
}
