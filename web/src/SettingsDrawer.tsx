// The system prompt and the options of the conversation that is shown, or of the next one. Each change counts at once.
import { type ReactNode, useId } from "react";
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
      <NumberField
        name="Temperature"
        value={temperature}
        unset="as the model has it"
        limits={{ min: 0, max: HIGHEST_TEMPERATURE, step: 0.1 }}
        onChange={(temperature) => set({ temperature })}
      >
        0 is always the same answer; higher is more varied. Up to {HIGHEST_TEMPERATURE}.
      </NumberField>
      <NumberField
        name="Context length, in tokens"
        value={contextLength}
        unset="as the server has it"
        limits={{ min: 1, max: longest, step: 1 }}
        onChange={(contextLength) => set({ contextLength })}
      >
        How much of the conversation the model can see; more takes more memory.
        {longest && ` Up to ${longest.toLocaleString("en")} for ${model.name}.`}
      </NumberField>
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

interface NumberFieldProps {
  name: string;
  /** null: nothing is entered. */
  value: number | null;
  /** What it then is. */
  unset: string;
  limits: { min: number; max: number | undefined; step: number };
  onChange: (value: number | null) => void;
  /** What it does. */
  children: ReactNode;
}

function NumberField({ name, value, unset, limits, onChange, children }: NumberFieldProps) {
  const field = useId();
  const description = useId();
  return (
    <div className="field">
      <label htmlFor={field}>{name}</label>
      <input
        id={field}
        type="number"
        {...limits}
        defaultValue={value ?? ""}
        placeholder={unset}
        aria-describedby={description}
        onChange={({ target }) => {
          if (target.reportValidity()) onChange(target.value ? target.valueAsNumber : null);
        }}
      />
      <small id={description}>{children}</small>
    </div>
  );
}
