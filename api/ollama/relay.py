"""Hands a decided request to nginx. direct.py does the same work where there is no nginx."""

from pathlib import Path
from urllib.parse import quote

from fastapi.responses import Response


class NginxRelay:
    """Answers with what nginx shall do: a named location to carry the request to, or a file to send."""

    def __init__(self, upload_dir: Path) -> None:
        self._upload_dir = upload_dir

    def to_ollama(self, method: str, path: str, body: bytes, model: str) -> Response:  # noqa: ARG002
        """The response to a request that Ollama shall answer at `path`; method and body are the client's own."""
        return _carried_by("@ollama", path, model)

    def get_from_ollama(self, path: str, model: str) -> Response:
        """The same, where Ollama is asked with GET and no body, whatever the client's own are."""
        return _carried_by("@ollama_get", path, model)

    def post_to_ollama(self, path: str, body: bytes, model: str) -> Response:
        """The same with our own body in place of the client's: short, and only ASCII."""
        response = _carried_by("@ollama_with_our_body", path, model)
        response.headers["X-LocalChat-Body"] = body.decode()
        return response

    def to_file(self, path: Path, headers: dict[str, str]) -> Response:
        """The response to a request that the file at `path` shall answer."""
        stored = path.relative_to(self._upload_dir).as_posix()
        return Response(headers={**headers, "X-Accel-Redirect": f"/_stored/{stored}"})


def _carried_by(location: str, path: str, model: str) -> Response:
    headers = {
        "X-Accel-Redirect": location,
        "X-LocalChat-Path": path,
        # Only for nginx's access log. Quoted: a header cannot hold all of Unicode.
        "X-LocalChat-Model": quote(model[:200], safe="/:", errors="replace"),
    }
    return Response(headers=headers)
