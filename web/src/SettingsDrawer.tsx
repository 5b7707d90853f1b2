// The system prompt and the options of the conversation that is shown, or of the next one. Each change counts at once.
import type { ChangeEvent } from "react";
import { DOCUMENTATION } from "./api/client";
import { current, useModels } from "./chat/models";
import { changeSettings, settingsOf, useConversations } from "./conversations/store";
import type { Settings } from "./conversations/types";

const HIGHEST_TEMPERATURE = 2;

export function SettingsDrawer({ id }: { id: string | null }) {
  const settings = useConversations((state) => settingsOf(state, id));
  const model = useModels(current);
  const longest = model?.details.context_length;
  const { system, temperature, contextLength } = settings;
  const set = (changes: Partial<Settings>) =>
    void changeSettings(id, { system, temperature, contextLength, ...changes });

  return (
    <div className="settings">
      <label>
        System prompt
        <textarea
          rows={6}
          value={system}
          placeholder="What the model is told before the conversation"
          onChange={(event) => set({ system: event.target.value })}
        />
      </label>
      <label>
        Temperature
        <input
          type="number"
          min="0"
          max={HIGHEST_TEMPERATURE}
          step="0.1"
          defaultValue={temperature ?? ""}
          placeholder="as the model has it"
          aria-describedby="temperature-is"
          onChange={(event) => ifValid(event, (temperature) => set({ temperature }))}
        />
        <small id="temperature-is">
          0 is always the same answer; higher is more varied. Up to {HIGHEST_TEMPERATURE}.
        </small>
      </label>
      <label>
        Context length, in tokens
        <input
          type="number"
          min="1"
          max={longest}
          step="1"
          defaultValue={contextLength ?? ""}
          placeholder="as the server has it"
          aria-describedby="context-is"
          onChange={(event) => ifValid(event, (contextLength) => set({ contextLength }))}
        />
        <small id="context-is">
          How much of the conversation the model can see; more takes more memory.
          {longest && ` Up to ${longest.toLocaleString("en")} for ${model.name}.`}
        </small>
      </label>
      <p className="note">
        {id ? "For this conversation, from the next answer on." : "For the conversation that you begin."} New
        conversations get the same temperature and context length.
      </p>
      <p className="note">
        This page is one client of LocalChat’s API; <a href={DOCUMENTATION}>its documentation</a> is for others.
      </p>
    </div>
  );
}

/** Nothing entered is null. */
function ifValid({ target }: ChangeEvent<HTMLInputElement>, set: (value: number | null) => void): void {
  if (target.reportValidity()) set(target.value ? target.valueAsNumber : null);
}
