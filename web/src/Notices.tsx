// What is wrong at the moment, above the conversation: gone by itself as soon as it is right again.
import { TriangleAlert } from "lucide-react";
import { useModels } from "./chat/models";
import { useConversations } from "./conversations/store";

export function Notices() {
  const withModels = useModels(({ problem }) => problem);
  const withSaving = useConversations(({ problem }) => problem);
  return (
    <div className="notices" role="status">
      {withModels && (
        <p>
          <TriangleAlert />
          <span>{withModels} The page tries again by itself.</span>
        </p>
      )}
      {withSaving && (
        <p>
          <TriangleAlert />
          <span>{withSaving}</span>
        </p>
      )}
    </div>
  );
}
