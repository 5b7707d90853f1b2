// The npm clients `ollama` and `openai`, each as its users set it up. Prints one JSON string per line; errors go to stderr.
// node main.mjs ollama|openai models|ask|stream|stop     Reads URL, TOKEN, MODEL and QUESTION from the environment.
import { Ollama } from "ollama";
import OpenAI from "openai";

const { URL: url, TOKEN: token, MODEL: model, QUESTION: question } = process.env;
const [name, action] = process.argv.slice(2);
const messages = [{ role: "user", content: question }];
const maxTokens = action === "stop" ? 2000 : 16;

function ollama() {
  const client = new Ollama({ host: url, headers: { Authorization: `Bearer ${token}` } });
  const request = { model, messages, options: { num_predict: maxTokens } };
  return {
    models: async () => (await client.list()).models.map((entry) => entry.name),
    ask: async () => (await client.chat(request)).message.content,
    stream: () => client.chat({ ...request, stream: true }),
    piece: (chunk) => chunk.message.content,
    stop: (stream) => stream.abort(),
  };
}

function openai() {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });
  const request = { model, messages, max_tokens: maxTokens };
  return {
    models: async () => (await client.models.list()).data.map((entry) => entry.id),
    ask: async () => (await client.chat.completions.create(request)).choices[0].message.content,
    stream: () => client.chat.completions.create({ ...request, stream: true }),
    piece: (chunk) => chunk.choices[0].delta.content ?? "",
    stop: (stream) => stream.controller.abort(),
  };
}

const print = (text) => console.log(JSON.stringify(text));

async function main() {
  const client = { ollama, openai }[name]();
  if (action === "models") return (await client.models()).forEach(print);
  if (action === "ask") return print(await client.ask());
  const stream = await client.stream();
  for await (const chunk of stream) {
    print(client.piece(chunk));
    if (action === "stop") return client.stop(stream);
  }
}

// Not process.exit: Node keeps running if the client leaves a connection open, and the test notices.
main().catch((error) => {
  console.error(`${error.name} ${error.status ?? error.status_code}: ${error.message}`);
  process.exitCode = 1;
});
