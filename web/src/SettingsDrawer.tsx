// The system prompt and options of the open conversation, or of the next one. Changes apply immediately.
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
          placeholder='Instructions for the model, e.g. "Answer briefly, in German."'
          onChange={(event) => set({ system: event.target.value })}
        />
      </label>
      <NumberField
        name="Temperature"
        value={temperature}
        unset="Model default"
        limits={{ min: 0, max: HIGHEST_TEMPERATURE, step: 0.1 }}
        onChange={(temperature) => set({ temperature })}
      >
        0 gives nearly the same answer every time; higher values vary more. Maximum {HIGHEST_TEMPERATURE}.
      </NumberField>
      <NumberField
        name="Context length, in tokens"
        value={contextLength}
        unset="Server default"
        limits={{ min: 1, max: longest, step: 1 }}
        onChange={(contextLength) => set({ contextLength })}
      >
        How much of the conversation the model can see. Longer contexts use more memory.
        {longest && ` Maximum ${longest.toLocaleString("en")} for ${model.name}.`}
      </NumberField>
      <p className="note">
        {id ? "Applies to this conversation from the next answer." : "Applies to your next conversation."} New
        conversations start with the same temperature and context length.
      </p>
      <p className="note">
        Building something? See the <a href={DOCUMENTATION}>API documentation</a>.
      </p>
    </div>
  );
}

interface NumberFieldProps {
  name: string;
  /** null: left empty. */
  value: number | null;
  /** The placeholder: what applies when it is left empty. */
  unset: string;
  limits: { min: number; max: number | undefined; step: number };
  onChange: (value: number | null) => void;
  /** The description. */
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
