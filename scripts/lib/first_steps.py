"""Prints where the stack is and a first question to it.

Run by scripts/up inside the API's container. ADDRESS is the door's as the host sees it; the account is the container's.
"""

import json
import os
from urllib.request import Request, urlopen

DOOR = "http://nginx:8080"
url = f"http://{os.environ['ADDRESS']}"
account = {"email": os.environ["ADMIN_EMAIL"], "password": os.environ["ADMIN_PASSWORD"]}

login = Request(f"{DOOR}/login", json.dumps(account).encode(), {"Content-Type": "application/json"})
token = json.load(urlopen(login))["access_token"]
listing = json.load(urlopen(Request(f"{DOOR}/models", headers={"Authorization": f"Bearer {token}"})))
names = [model["name"] for model in listing["models"]]

is_default = account["password"] == "changeme"
password = "changeme  <- change it in .env before you set BIND" if is_default else "ADMIN_PASSWORD of .env"
print(f"""
LocalChat is up.

  Page      {url}
  API       {url}    (interactive documentation: {url}/docs)
  Account   {account["email"]} / {password}
  Models    {", ".join(names) or "none yet: docker compose exec ollama ollama pull NAME"}
""")
if names:
    messages = [{"role": "user", "content": "List the planets of the solar system."}]
    question = {"model": names[0], "messages": messages, "options": {"num_predict": 64}}
    print("Open the page in a browser, or talk to the API (the token is a fresh one):\n")
    print(f"  curl -N {url}/chat -H 'Authorization: Bearer {token}' -d '{json.dumps(question)}'\n")
