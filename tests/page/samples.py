"""A sample conversation with one of everything: models, a question, an answer."""

import struct
import zlib
from typing import Any

from playwright.sync_api import FilePayload, Page

from tests.page.scripted import ScriptedOllama, model

MODELS = [
    model("qwen3.5:9b", "vision", "thinking", size=6_594_474_711, parameter_size="9.7B", quantization_level="Q4_K_M"),
    model("llama3.2:3b", "tools", size=2_019_393_189, parameter_size="3.2B", quantization_level="Q4_K_M"),
    model("smollm2:135m"),
]
THINKING = [
    "The person asks how streaming works in LocalChat. ",
    "I should name the request, show how a program reads the answer, and say what the figures under it mean.",
]
QUESTION = "How does streaming work here?"
ANSWER = r"""The page sends one `POST /chat` and keeps the connection open. Ollama writes **a line of JSON for each
token**, and neither nginx nor the API holds one back. From Python:

```python
with httpx.stream("POST", f"{url}/chat", json=body, headers=headers) as answer:
    for line in answer.iter_lines():
        print(json.loads(line)["message"]["content"], end="", flush=True)
```

The last line says `"done": true`, and what the answer took:

| Field           | What it is                |   Here |
| :-------------- | :------------------------ | -----: |
| `eval_count`    | tokens of the answer      |    182 |
| `eval_duration` | time spent on writing them | 4.33 s |

$$
\text{speed} = \frac{\text{tokens}}{\text{seconds}} = \frac{182}{4.33} \approx 42\ \text{tokens/s}
$$
"""
FIGURES: dict[str, Any] = {"eval_count": 182, "eval_duration": 4_330_000_000, "total_duration": 4_710_000_000}
TITLES = ["Names for a grey cat", "Why is the sky blue?", "A regular expression for dates", "A letter to Norway"]
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3


def script(ollama: ScriptedOllama, *, answers: int = 1) -> None:
    """The models above, and the answer above for each of the next chats."""
    ollama.models = list(MODELS)
    for _ in range(answers):
        ollama.answers(*pieces(ANSWER), thinking=THINKING, **FIGURES)


def pieces(text: str, length: int = 12) -> list[str]:
    """Like tokens: a few characters at a time."""
    return [text[start : start + length] for start in range(0, len(text), length)]


# Two stores; their names and keys are in web/src/conversations/.
REMEMBER = """(conversations) => new Promise((done, failed) => {
  const opening = indexedDB.open("localchat");
  opening.onerror = () => failed(opening.error);
  opening.onsuccess = () => {
    const transaction = opening.result.transaction("conversations", "readwrite");
    for (const one of conversations) transaction.objectStore("conversations").put(one);
    transaction.oncomplete = () => { opening.result.close(); done(); };
  };
})"""


def remember(page: Page, titles: list[str]) -> None:
    """Stores conversations, the first being the last used, and reloads the page."""
    settings: dict[str, Any] = {"system": "", "temperature": None, "contextLength": None}
    by_age = enumerate(reversed(titles))
    page.evaluate(
        REMEMBER, [{"id": f"before{n:03}", "title": title, "updatedAt": n, **settings} for n, title in by_age]
    )
    page.reload()


def file(name: str, content: bytes, media_type: str = "text/plain") -> FilePayload:
    return {"name": name, "mimeType": media_type, "buffer": content}


def png(width: int, height: int, name: str = "picture.png") -> FilePayload:
    """In one colour, a semi-transparent blue."""
    rows = (b"\0" + b"\x40\x60\xd0\x80" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return file(name, b"\x89PNG\r\n\x1a\n" + body, "image/png")
