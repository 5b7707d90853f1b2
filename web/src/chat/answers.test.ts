import { expect, it } from "vitest";
import { statsOf } from "./answers";
import { bytes } from "./models";

it("takes speed and waiting time from the last chunk", () => {
  const chunk = { done: true, eval_count: 100, eval_duration: 2e9, total_duration: 2.5e9 };
  expect(statsOf(chunk)).toEqual({ tokens: 100, tokensPerSecond: 50, secondsToFirstToken: 0.5 });
});

it("has no stats if Ollama sent none", () => {
  expect(statsOf({ done: true })).toBeUndefined();
  expect(statsOf({ done: true, eval_count: 0, eval_duration: 1, total_duration: 1 })).toBeUndefined();
});

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [98_362_728, "98 MB"],
  [6_600_000_000, "6.6 GB"],
])("says %i bytes as %s", (count, said) => {
  expect(bytes(count)).toBe(said);
});
