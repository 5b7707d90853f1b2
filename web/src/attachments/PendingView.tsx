// A file attached to a draft: uploading, uploaded, or rejected.
import { FileText, RotateCcw, X } from "lucide-react";
import { bytes } from "../chat/models";
import { IconButton } from "../parts/IconButton";
import { Thumbnail } from "./AttachmentView";
import { detach, type Pending, send } from "./drafts";

interface Props {
  draft: string;
  pending: Pending;
  /** What the model would not get if it were sent now. */
  leftOut: string | undefined;
}

export function PendingView({ draft, pending, leftOut }: Props) {
  const { id, name, size, file, image, progress, error, downloadPath } = pending;
  const isUnderWay = !downloadPath && !error;
  return (
    <li className="attachment pending">
      {image ? <Thumbnail image={image} /> : <FileText />}
      <span className="name">{name}</span> <small>{bytes(size)}</small>
      {error && file && (
        <IconButton name={`Upload ${name} again`} icon={RotateCcw} onClick={() => void send(draft, id, file)} />
      )}
      <IconButton name={isUnderWay ? `Cancel ${name}` : `Remove ${name}`} icon={X} onClick={() => detach(draft, id)} />
      {isUnderWay && <progress aria-label={`Uploading ${name}`} value={progress} />}
      {leftOut && <small className="left-out">{leftOut}</small>}
      {error && (
        <small className="error" role="alert">
          {error}
        </small>
      )}
    </li>
  );
}
