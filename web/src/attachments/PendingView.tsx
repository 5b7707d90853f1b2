// A file that is about to be asked with: on its way, there, or not accepted.
import { FileText, RotateCcw, X } from "lucide-react";
import { bytes } from "../chat/models";
import { IconButton } from "../parts/IconButton";
import { Thumbnail } from "./AttachmentView";
import { detach, type Pending, send } from "./drafts";

interface Props {
  draft: string;
  pending: Pending;
  /** What the model will not be given, as things are. */
  leftOut: string | undefined;
}

export function PendingView({ draft, pending, leftOut }: Props) {
  const { id, name, size, file, image, progress, problem, downloadPath } = pending;
  const isUnderWay = !downloadPath && !problem;
  return (
    <li className="attachment pending">
      {image ? <Thumbnail image={image} /> : <FileText />}
      <span className="name">{name}</span> <small>{bytes(size)}</small>
      {problem && file && (
        <IconButton name={`Upload ${name} again`} icon={RotateCcw} onClick={() => void send(draft, id, file)} />
      )}
      <IconButton name={isUnderWay ? `Cancel ${name}` : `Remove ${name}`} icon={X} onClick={() => detach(draft, id)} />
      {isUnderWay && <progress aria-label={`Uploading ${name}`} value={progress} />}
      {leftOut && <small className="left-out">{leftOut}</small>}
      {problem && (
        <small className="problem" role="alert">
          {problem}
        </small>
      )}
    </li>
  );
}
