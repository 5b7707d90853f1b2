// An attached file: a download link that sends the token, a thumbnail for an image, and what the model did not get.
import { FileText } from "lucide-react";
import { type MouseEvent, useEffect, useState } from "react";
import { download } from "../api/client";
import { messageOf } from "../api/errors";
import { bytes } from "../chat/models";
import type { Attachment } from "../conversations/types";
import { saveAs } from "../parts/save";

export function AttachmentView({ attachment }: { attachment: Attachment }) {
  const { name, size, downloadPath, image, leftOut } = attachment;
  const [error, setError] = useState<string | null>(null);

  async function handleDownload(event: MouseEvent) {
    // The browser's own download would not send the token.
    event.preventDefault();
    setError(null);
    try {
      saveAs(name, await download(downloadPath));
    } catch (reason) {
      setError(messageOf(reason));
    }
  }

  return (
    <li className="attachment">
      <a href={downloadPath} title={`Download ${name}`} onClick={handleDownload}>
        {image ? <Thumbnail image={image} /> : <FileText />}
        <span className="name">{name}</span> <small>{bytes(size)}</small>
      </a>
      {leftOut && <small className="left-out">{leftOut}</small>}
      {error && <small role="alert">{error}</small>}
    </li>
  );
}

/** The alt text is empty because the file's name is beside it. */
export function Thumbnail({ image }: { image: Blob }) {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(image);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [image]);
  return address && <img className="thumbnail" src={address} alt="" />;
}
