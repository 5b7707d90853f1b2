// A question: its text as typed, its files.
import { Pencil } from "lucide-react";
import { memo } from "react";
import { AttachmentView } from "./attachments/AttachmentView";
import { edit } from "./attachments/drafts";
import type { Question } from "./conversations/types";
import { CopyButton } from "./parts/CopyButton";
import { IconButton } from "./parts/IconButton";

export const QuestionView = memo(function QuestionView({ question, isLast }: { question: Question; isLast: boolean }) {
  return (
    <article className="question">
      <h2 className="visually-hidden">You</h2>
      {question.attachments.length > 0 && (
        <ul className="attachments" aria-label="Files">
          {question.attachments.map((attachment) => (
            <AttachmentView key={attachment.downloadPath} attachment={attachment} />
          ))}
        </ul>
      )}
      {question.content && (
        <div className="text" dir="auto">
          {question.content}
        </div>
      )}
      <div className="tools">
        {question.content && <CopyButton what="message" text={question.content} />}
        {isLast && <IconButton name="Edit message" icon={Pencil} onClick={() => edit(question)} />}
      </div>
    </article>
  );
});
