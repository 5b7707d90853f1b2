// A file of a question: a link that downloads it with the token, a picture as a thumbnail, and what the model was not given.
import { FileText } from "lucide-react";
import { type MouseEvent, useEffect, useState } from "react";
import { download } from "../api/client";
import { messageOf } from "../api/errors";
import { bytes } from "../chat/models";
import type { Attachment } from "../conversations/types";
import { saveAs } from "../parts/save";

export function AttachmentView({ attachment }: { attachment: Attachment }) {
  const { name, size, downloadPath, image, leftOut } = attachment;
  const [problem, setProblem] = useState<string | null>(null);

  async function save(event: MouseEvent) {
    // The browser itself would ask without the token.
    event.preventDefault();
    setProblem(null);
    try {
      saveAs(name, await download(downloadPath));
    } catch (error) {
      setProblem(messageOf(error));
    }
  }

  return (
    <li className="attachment">
      <a href={downloadPath} title={`Download ${name}`} onClick={save}>
        {image ? <Thumbnail image={image} /> : <FileText />}
        <span className="name">{name}</span> <small>{bytes(size)}</small>
      </a>
      {leftOut && <small className="left-out">{leftOut}</small>}
      {problem && <small role="alert">{problem}</small>}
    </li>
  );
}

/** Without a name of its own: the file's is beside it. */
export function Thumbnail({ image }: { image: Blob }) {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(image);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [image]);
  return address && <img className="thumbnail" src={address} alt="" />;
}
