// The installed models, polled so that a new one appears and an Ollama that comes back is noticed.
import { create } from "zustand";
import { capabilitiesOf, listModels } from "../api/client";
import { messageOf, Refused } from "../api/errors";
import type { Model } from "../api/types";

interface Models {
  /** null until the first response. Only those that can chat. */
  list: Model[] | null;
  /** Why listing them failed. */
  error: string | null;
  chosen: string | null;
  /** The one used while none is chosen. */
  preferred: string | null;
}

const CHOSEN = "localchat.model";
const SECONDS_BETWEEN = 15;
// While Ollama is down or has no model.
const SECONDS_BETWEEN_WHEN_MISSING = 2;

export const useModels = create<Models>(() => ({
  list: null,
  error: null,
  chosen: localStorage.getItem(CHOSEN),
  preferred: null,
}));

const { getState, setState } = useModels;

export function choose(name: string): void {
  localStorage.setItem(CHOSEN, name);
  setState({ chosen: name });
}

/** The chosen model while it exists, else the preferred one. */
export function current({ list, chosen, preferred }: Models): Model | null {
  return named(list, chosen) ?? named(list, preferred) ?? list?.[0] ?? null;
}

const named = (list: Model[] | null, wanted: string | null): Model | undefined =>
  list?.find(({ name }) => name === wanted);

export const currentModel = (): Model | null => current(getState());

export async function refresh(): Promise<void> {
  try {
    const list = (await listModels()).filter((model) => supports(model, "completion"));
    setState({ list, error: null, preferred: await preferredIn(list) });
  } catch (error) {
    setState({ error: messageOf(error) });
  }
}

/** The previous one while it exists, else the first that can chat. Probes none while the chosen one exists. */
async function preferredIn(list: Model[]): Promise<string | null> {
  const { chosen, preferred } = getState();
  if (named(list, chosen)) return preferred;
  if (named(list, preferred)) return preferred;
  for (const { name } of list) if (await answers(name)) return name;
  return list[0]?.name ?? null;
}

// The list claims that broken models can chat, too.
async function answers(name: string): Promise<boolean> {
  try {
    return (await capabilitiesOf(name))?.includes("completion") ?? true;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}

/** Returns a function that stops it. */
export function keepFresh(): () => void {
  let timer = 0;
  const again = () => {
    if (document.hidden) plan();
    else void refresh();
  };
  const plan = () => {
    window.clearTimeout(timer);
    const { list, error } = getState();
    const seconds = error !== null || !list?.length ? SECONDS_BETWEEN_WHEN_MISSING : SECONDS_BETWEEN;
    timer = window.setTimeout(again, seconds * 1000);
  };
  // After each response, whatever asked for it: a failed chat refreshes too.
  const endPlans = useModels.subscribe(plan);
  document.addEventListener("visibilitychange", again);
  again();
  return () => {
    window.clearTimeout(timer);
    endPlans();
    document.removeEventListener("visibilitychange", again);
  };
}

/** Older versions of Ollama list no capabilities: then everything counts as supported. */
export const supports = ({ capabilities }: Model, capability: "completion" | "vision"): boolean =>
  capabilities?.includes(capability) ?? true;

/** "134.52M, Q4_1, 98 MB" */
export function describe({ details, size }: Model): string {
  return [details.parameter_size, details.quantization_level, bytes(size)].filter(Boolean).join(", ");
}

/** In powers of 1000, as for disks and downloads. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1);
  const value = count / 1000 ** power;
  return `${value.toFixed(value < 10 && power > 0 ? 1 : 0)} ${units[power]}`;
}
