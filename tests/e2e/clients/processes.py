"""Third-party clients that are programs: `llm` from PyPI, and ollama and openai from npm, in a container."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.e2e import npm
from tests.e2e.clients.python import MAX_TOKENS, QUESTION, Client
from tests.support.runs import IMAGE_TAG

JS = Path(__file__).with_name("js")
JS_IMAGE = f"localchat/test-clients:{IMAGE_TAG}"
FIRST_BYTES = 16


class ClientFailed(Exception):
    """The program failed; the message is its output."""


class Llm(Client):
    """pip install llm: with a model in extra-openai-models.yaml."""

    def __init__(self, url: str, token: str, folder: Path) -> None:
        super().__init__(url, token)
        self._environment = os.environ | {"LLM_USER_PATH": str(folder), "LOCALCHAT_KEY": token}
        self._folder = folder

    def _command(self, model: str, max_tokens: int) -> list[str]:
        configuration = [
            {"model_id": model, "model_name": model, "api_base": f"{self.url}/v1", "api_key_name": "localchat"}
        ]
        # JSON is YAML.
        (self._folder / "extra-openai-models.yaml").write_text(json.dumps(configuration))
        llm = str(Path(sys.executable).with_name("llm"))
        return [llm, "-m", model, "--key", self.token, "-o", "max_tokens", str(max_tokens), QUESTION]

    def models(self) -> list[str]:
        # It lists the models in that file, without a request.
        return []

    def ask(self, model: str) -> str:
        done = subprocess.run(
            [*self._command(model, MAX_TOKENS), "--no-stream"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ClientFailed(done.stderr)
        return done.stdout

    def stream(self, model: str, max_tokens: int = MAX_TOKENS) -> Iterator[str]:
        command = self._command(model, max_tokens)
        with subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            try:
                while piece := program.stdout.read(FIRST_BYTES):
                    yield piece
            finally:
                program.kill()


class LlmOllama(Llm):
    """pip install llm llm-ollama: OLLAMA_HOST and OLLAMA_API_KEY."""

    def __init__(self, url: str, token: str, folder: Path) -> None:
        super().__init__(url, token, folder)
        self._environment |= {"OLLAMA_HOST": url, "OLLAMA_API_KEY": token}

    def _command(self, model: str, max_tokens: int) -> list[str]:
        llm = str(Path(sys.executable).with_name("llm"))
        return [llm, "-m", f"ollama/{model}", "-o", "num_predict", str(max_tokens), QUESTION]

    def models(self) -> list[str]:
        llm = str(Path(sys.executable).with_name("llm"))
        table = subprocess.check_output([llm, "ollama", "models"], env=self._environment, text=True)
        return [line.split()[0] for line in table.splitlines()[1:]]


class Npm(Client):
    """A client from npm, in js/main.mjs. It runs on nginx's network, `edge`."""

    def __init__(self, url: str, token: str, network: str, package: str) -> None:
        super().__init__(url, token)
        self._network = network
        self._package = package

    def models(self) -> list[str]:
        return self._do("models")

    def ask(self, model: str) -> str:
        return "".join(self._do("ask", model))

    def stream(self, model: str, max_tokens: int = MAX_TOKENS) -> Iterator[str]:  # noqa: ARG002
        yield from self._do("stream", model)

    def stop_amid_a_stream(self, model: str) -> None:
        assert self._do("stop", model)

    def _do(self, action: str, model: str = "") -> list[str]:
        settings = {"URL": "http://nginx:8080", "TOKEN": self.token, "MODEL": model, "QUESTION": QUESTION}
        variables = [argument for name, value in settings.items() for argument in ("--env", f"{name}={value}")]
        command = ["docker", "run", "--rm", "--network", self._network, *variables, JS_IMAGE, self._package, action]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClientFailed(done.stderr)
        return [str(json.loads(line)) for line in done.stdout.splitlines()]


def build_npm_clients() -> None:
    """Npm's image."""
    npm.build(JS_IMAGE, JS)
