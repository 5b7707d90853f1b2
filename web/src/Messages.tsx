// The messages of a conversation, scrolled to the newest.
import { ArrowDown } from "lucide-react";
import { useEffect } from "react";
import { AnswerView } from "./AnswerView";
import { useConversations } from "./conversations/store";
import type { Message } from "./conversations/types";
import { IconButton } from "./parts/IconButton";
import { useStickToBottom } from "./parts/useStickToBottom";
import { QuestionView } from "./QuestionView";

export function Messages({ id, messages }: { id: string; messages: readonly Message[] }) {
  const isAnswering = useConversations(({ answering }) => answering.includes(id));
  const { view, content, isAtBottom, scrollToBottom } = useStickToBottom();
  const lastQuestionId = messages.findLast(({ role }) => role === "user")?.id;
  useEffect(() => {
    if (lastQuestionId) scrollToBottom();
  }, [lastQuestionId, scrollToBottom]);

  return (
    <div className="messages-frame">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable content must be reachable by keyboard */}
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
      {!isAtBottom && (
        <IconButton name="Scroll to bottom" icon={ArrowDown} className="to-bottom" onClick={scrollToBottom} />
      )}
    </div>
  );
}
