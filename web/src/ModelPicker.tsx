// Which model answers.
import { choose, current, describe, refresh, useModels } from "./chat/models";

export function ModelPicker() {
  const models = useModels();
  const chosen = current(models);
  if (!models.list?.length) return <div className="model" />;
  return (
    <div className="model">
      <select
        aria-label="Model"
        value={chosen?.name}
        onChange={(event) => choose(event.target.value)}
        onFocus={() => void refresh()}
      >
        {models.list.map((model) => (
          <option key={model.name} value={model.name}>
            {model.name} ({describe(model)})
          </option>
        ))}
      </select>
    </div>
  );
}
