// Current problems, shown above the conversation until they are resolved.
import { TriangleAlert } from "lucide-react";
import { useModels } from "./chat/models";
import { useConversations } from "./conversations/store";

export function Notices() {
  const modelsError = useModels(({ error }) => error);
  const savingError = useConversations(({ error }) => error);
  return (
    <div className="notices" role="status">
      {modelsError && (
        <p>
          <TriangleAlert />
          <span>{modelsError} Retrying automatically.</span>
        </p>
      )}
      {savingError && (
        <p>
          <TriangleAlert />
          <span>{savingError}</span>
        </p>
      )}
    </div>
  );
}
