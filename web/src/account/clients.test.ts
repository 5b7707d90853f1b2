import { expect, it } from "vitest";
import { setups } from "./clients";

const all = setups("http://192.168.1.20:8000", "sk-localchat-abc", "some:1b");
const named = Object.fromEntries(all);

it("has ten clients, each with the address and the key", () => {
  expect(all).toHaveLength(10);
  for (const [, setup] of all) {
    expect(setup).toContain("192.168.1.20:8000");
    expect(setup).toContain("sk-localchat-abc");
  }
});

it("gives OpenAI's clients /v1, and Ollama's and Anthropic's nothing after the port", () => {
  expect(named["openai (Python)"]).toContain('"http://192.168.1.20:8000/v1"');
  expect(named["anthropic (Python)"]).toContain('"http://192.168.1.20:8000"');
  expect(named["ollama (Python)"]).toContain('"http://192.168.1.20:8000"');
});

it("makes JSON of opencode's", () => {
  expect(JSON.parse(named.opencode ?? "")).toMatchObject({
    provider: { localchat: { options: { apiKey: "sk-localchat-abc" }, models: { "some:1b": {} } } },
  });
});

it("puts the key into the address where only a proxy gets a password", () => {
  expect(named["ollama, the command"]).toContain("HTTP_PROXY=http://localchat:sk-localchat-abc@192.168.1.20:8000");
});
