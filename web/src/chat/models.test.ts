import { beforeEach, expect, it, vi } from "vitest";
import { begin } from "../api/session";
import type { Model } from "../api/types";
import { choose, currentModel, refresh, useModels } from "./models";

const model = (name: string): Model => ({ name, size: 1, details: {}, capabilities: ["completion"] });
const asked: string[] = [];

/** An API that lists these models; to show one it answers with its capabilities, or with an error status. */
function serve(shown: Record<string, string[] | number | undefined>): void {
  vi.stubGlobal("fetch", async (path: string, { body }: RequestInit = {}) => {
    if (path === "/models") return Response.json({ models: Object.keys(shown).map(model) });
    const { model: name } = JSON.parse(body as string) as { model: string };
    asked.push(name);
    const answer = shown[name];
    if (typeof answer === "number") return Response.json({ error: "broken" }, { status: answer });
    return Response.json({ capabilities: answer });
  });
}

beforeEach(() => {
  begin("token", { id: "a", email: "me@example.org" });
  asked.length = 0;
  useModels.setState({ list: null, error: null, chosen: null, preferred: null });
});

it("starts with the first model that can chat, without probing the others", async () => {
  serve({ broken: 500, embeds: ["embedding"], cloud: 403, chats: ["completion"], other: ["completion"] });
  await refresh();
  expect(currentModel()?.name).toBe("chats");
  expect(asked).toEqual(["broken", "embeds", "cloud", "chats"]);
});

it("probes none while the chosen one exists", async () => {
  serve({ broken: 500, chosen: ["completion"] });
  choose("chosen");
  await refresh();
  expect(currentModel()?.name).toBe("chosen");
  expect(asked).toEqual([]);
});

it("probes once, and keeps the result while that model exists", async () => {
  serve({ broken: 500, chats: ["completion"] });
  await refresh();
  await refresh();
  expect(asked).toEqual(["broken", "chats"]);
  serve({ new: ["completion"], chats: ["completion"] });
  await refresh();
  expect(currentModel()?.name).toBe("chats");
});

it("assumes that a model can chat if Ollama does not say", async () => {
  serve({ old: undefined });
  await refresh();
  expect(currentModel()?.name).toBe("old");
});

it("offers the first if none can chat, so that Ollama's own error is shown", async () => {
  serve({ broken: 500, other: 500 });
  await refresh();
  await refresh();
  expect(currentModel()?.name).toBe("broken");
  expect(asked).toEqual(["broken", "other"]);
});
