// The models there are, asked for again and again, so that one that arrives is listed and an Ollama that comes back is noticed.
import { create } from "zustand";
import { listModels } from "../api/client";
import { messageOf } from "../api/errors";
import type { Model } from "../api/types";

interface Models {
  /** null until the first answer. Only those that can chat. */
  list: Model[] | null;
  /** Why they cannot be listed just now. */
  problem: string | null;
  chosen: string | null;
}

const CHOSEN = "localchat.model";
const SECONDS_BETWEEN = 15;
// While something is missing: Ollama, or any model.
const SECONDS_BETWEEN_WHEN_MISSING = 2;

export const useModels = create<Models>(() => ({ list: null, problem: null, chosen: localStorage.getItem(CHOSEN) }));

const { getState, setState } = useModels;

export function choose(name: string): void {
  localStorage.setItem(CHOSEN, name);
  setState({ chosen: name });
}

/** The chosen one while it is there, else the first. */
export function current({ list, chosen }: Models): Model | null {
  return list?.find(({ name }) => name === chosen) ?? list?.[0] ?? null;
}

export const currentModel = (): Model | null => current(getState());

export async function refresh(): Promise<void> {
  try {
    const list = (await listModels()).filter(can("completion"));
    setState({ list, problem: null });
  } catch (error) {
    setState({ problem: messageOf(error) });
  }
}

/** → a function that ends it. */
export function keepFresh(): () => void {
  let timer = 0;
  const again = () => {
    if (document.hidden) plan();
    else void refresh();
  };
  const plan = () => {
    window.clearTimeout(timer);
    const { list, problem } = getState();
    const seconds = problem !== null || !list?.length ? SECONDS_BETWEEN_WHEN_MISSING : SECONDS_BETWEEN;
    timer = window.setTimeout(again, seconds * 1000);
  };
  // After each answer, whoever asked: a chat that failed does too.
  const endPlans = useModels.subscribe(plan);
  document.addEventListener("visibilitychange", again);
  again();
  return () => {
    window.clearTimeout(timer);
    endPlans();
    document.removeEventListener("visibilitychange", again);
  };
}

/** Whether a model can do something; one that does not say, can. */
export const can =
  (what: "completion" | "vision") =>
  ({ capabilities }: Model): boolean =>
    capabilities?.includes(what) ?? true;

/** "134.52M, Q4_1, 98 MB" */
export function describe({ details, size }: Model): string {
  return [details.parameter_size, details.quantization_level, bytes(size)].filter(Boolean).join(", ");
}

/** In powers of 1000, as disks and downloads are sold. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1);
  const value = count / 1000 ** power;
  return `${value.toFixed(value < 10 && power > 0 ? 1 : 0)} ${units[power]}`;
}
