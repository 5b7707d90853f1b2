// How the ten most used clients are set up, as in the README's tables: ready to paste.

/** Their names, and what is typed where. `origin` is LocalChat's address, such as http://127.0.0.1:8000. */
export function setups(origin: string, key: string, model: string): [client: string, setup: string][] {
  const openai = `${origin}/v1`;
  const withKey = origin.replace("//", `//localchat:${key}@`);
  const variables = (base: string) => `export ${base}=${openai}\nexport OPENAI_API_KEY=${key}`;
  return [
    ["Open WebUI", variables("OPENAI_API_BASE_URL")],
    [
      "Claude Code",
      `export ANTHROPIC_BASE_URL=${origin}\nexport ANTHROPIC_AUTH_TOKEN=${key}\nexport ANTHROPIC_API_KEY=\nclaude --model ${model}`,
    ],
    [
      "Codex",
      `# ~/.codex/config.toml; then: export LOCALCHAT_KEY=${key}
model = "${model}"
model_provider = "localchat"
web_search = "disabled"

[model_providers.localchat]
name = "LocalChat"
base_url = "${openai}"
env_key = "LOCALCHAT_KEY"
wire_api = "responses"

[features]
enable_request_compression = false`,
    ],
    [
      "opencode",
      JSON.stringify(
        {
          $schema: "https://opencode.ai/config.json",
          provider: {
            localchat: {
              npm: "@ai-sdk/openai-compatible",
              name: "LocalChat",
              options: { baseURL: openai, apiKey: key },
              models: { [model]: {} },
            },
          },
        },
        null,
        2,
      ),
    ],
    ["Cline", `API Provider: OpenAI Compatible\nBase URL: ${openai}\nAPI Key: ${key}\nModel ID: ${model}`],
    ["aider", `${variables("OPENAI_API_BASE")}\naider --model openai/${model}`],
    ["openai (Python)", `OpenAI(base_url="${openai}", api_key="${key}")`],
    ["anthropic (Python)", `Anthropic(base_url="${origin}", api_key="${key}")`],
    ["ollama (Python)", `Client(host="${origin}", headers={"Authorization": "Bearer ${key}"})`],
    ["ollama, the command", `export OLLAMA_HOST=http://ollama\nexport HTTP_PROXY=${withKey}\nollama run ${model}`],
  ];
}
