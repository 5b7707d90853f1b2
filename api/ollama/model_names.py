"""Names of models, as Ollama reads them: [host/][namespace/]model[:tag]."""

import re

from api.errors import CloudModel

# No scheme, no digest, no empty or dotted part: a URL or a path is no name.
NAME = re.compile(
    r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?::[0-9]{1,5})?/)*[A-Za-z0-9_-][A-Za-z0-9._-]*(?::[A-Za-z0-9._-]+)?"
)
MAX_NAME_LENGTH = 593  # Ollama's own: 350 for the host, 80 for each other part
DEFAULT_HOST, DEFAULT_NAMESPACE, DEFAULT_TAG = "registry.ollama.ai/", "library/", ":latest"


def is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def is_cloud(name: str) -> bool:
    """Whether Ollama would hand the request on to its cloud: the tag is `cloud` or ends with `-cloud`."""
    tag = name.strip().rpartition(":")[2].strip().lower() if ":" in name else ""
    return tag == "cloud" or (tag.endswith("-cloud") and "/" not in tag)


def refuse_cloud_model(name: str) -> None:
    if is_cloud(name):
        raise CloudModel(name)


def canonical(name: str) -> str:
    """One spelling for all that Ollama takes for the same model."""
    short = name.lower().removeprefix(DEFAULT_HOST).removeprefix(DEFAULT_NAMESPACE)
    return short if ":" in short.rpartition("/")[2] else short + DEFAULT_TAG
