// In place of a conversation that has not begun: an invitation, or how to get a model.
import { useModels } from "./chat/models";
import { CopyButton } from "./parts/CopyButton";

const PULL = "docker compose exec ollama ollama pull llama3.2";

export function Welcome() {
  const { list } = useModels();
  if (!list) return <div className="welcome" />;
  return <div className="welcome">{list.length ? <h2>What would you like to know?</h2> : <NoModel />}</div>;
}

const NoModel = () => (
  <>
    <h2>There is no model yet</h2>
    <p>Get one on the machine that LocalChat runs on, in its folder:</p>
    <div className="command">
      <code>{PULL}</code>
      <CopyButton what="command" text={PULL} />
    </div>
    <p>
      Any name from{" "}
      <a href="https://ollama.com/library" target="_blank" rel="noopener noreferrer">
        Ollama’s library
      </a>{" "}
      will do. It appears here by itself as soon as it is there.
    </p>
  </>
);
