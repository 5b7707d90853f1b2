"""Prints the stack's address and a first question to it.

Run by scripts/up inside the API's container. ADDRESS is the published host:port, STARTER_MODELS is as in .env;
ADMIN_EMAIL and ADMIN_PASSWORD are the container's.
"""

import json
import os
import re
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import Request, urlopen

DOOR = "http://nginx:8080"
DEFAULT_STARTER = "smollm2:135m"


def log_in(email: str, password: str) -> str:
    account = json.dumps({"email": email, "password": password}).encode()
    answer = json.load(urlopen(Request(f"{DOOR}/login", account, {"Content-Type": "application/json"})))
    token: str = answer["access_token"]
    return token


def models(token: str) -> list[str]:
    listing = json.load(urlopen(Request(f"{DOOR}/models", headers={"Authorization": f"Bearer {token}"})))
    return [model["name"] for model in listing["models"]]


def can_chat(model: str, token: str) -> bool:
    """Asks Ollama about the model itself: the list includes broken ones."""
    request = Request(f"{DOOR}/api/show", json.dumps({"model": model}).encode(), {"Authorization": f"Bearer {token}"})
    try:
        return "completion" in json.load(urlopen(request)).get("capabilities", ["completion"])
    except HTTPError:
        return False


def to_ask(models: list[str], starters: str, can_chat: Callable[[str], bool]) -> str | None:
    """A starter model if one can chat, else the first model that can."""
    wanted = re.split(r"[,\s]+", starters or DEFAULT_STARTER)
    ordered = sorted(models, key=lambda name: name not in wanted and name.removesuffix(":latest") not in wanted)
    return next(filter(can_chat, ordered), None)


def main() -> None:
    url, email, password = f"http://{os.environ['ADDRESS']}", os.environ["ADMIN_EMAIL"], os.environ["ADMIN_PASSWORD"]
    token = log_in(email, password)
    names = models(token)
    is_default = password == "changeme"
    shown = "changeme  <- change it before others can reach this machine" if is_default else "ADMIN_PASSWORD in .env"
    print(f"""
LocalChat is up.

  Page      {url}
  API       {url}    (interactive documentation: {url}/docs)
  Account   {email} / {shown}
  Models    {", ".join(names) or "none yet: docker compose exec ollama ollama pull NAME"}
""")
    if model := to_ask(names, os.environ.get("STARTER_MODELS", ""), lambda name: can_chat(name, token)):
        messages = [{"role": "user", "content": "List the planets of the solar system."}]
        question = {"model": model, "messages": messages, "options": {"num_predict": 64}}
        print("Open the page in a browser, or call the API (with a fresh token):\n")
        print(f"  curl -N {url}/chat -H 'Authorization: Bearer {token}' -d '{json.dumps(question)}'\n")


if __name__ == "__main__":
    main()
