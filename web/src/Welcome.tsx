// Shown before a conversation starts: an invitation, or how to install a model.
import { useModels } from "./chat/models";
import { CopyButton } from "./parts/CopyButton";

const PULL = "docker compose exec ollama ollama pull llama3.2";

export function Welcome() {
  const { list } = useModels();
  if (!list) return <div className="welcome" />;
  return <div className="welcome">{list.length ? <h2>How can I help?</h2> : <NoModel />}</div>;
}

const NoModel = () => (
  <>
    <h2>No models installed yet</h2>
    <p>To install one, run this in LocalChat’s folder, on its machine:</p>
    <div className="command">
      <code>{PULL}</code>
      <CopyButton what="command" text={PULL} />
    </div>
    <p>
      Any model from{" "}
      <a href="https://ollama.com/library" target="_blank" rel="noopener noreferrer">
        Ollama’s library
      </a>{" "}
      works. It will appear here once downloaded.
    </p>
  </>
);
