"""A TLS registry from which Ollama pulls models; it sends the first half of a model and waits.

with Registry(address, authority, certificate) as registry:
    layer = registry.add("tests/slow")
    …
    layer.rest.set()
"""

import hashlib
import json
import os
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import trustme

HOST = "registry.test"
# Ollama expects a redirect to another host for large blobs.
BLOB_HOST = "blobs.test"
LAYER_BYTES = 4 * 1024 * 1024
CONFIG = json.dumps({"model_format": "gguf", "model_family": "llama", "model_families": ["llama"]}).encode()


@dataclass
class Blob:
    """A blob, identified by its digest. `rest` holds back the second half; `downloads` counts the requested ranges."""

    data: bytes
    rest: threading.Event = field(default_factory=threading.Event)
    downloads: int = 0

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    def described(self, media_type: str) -> dict[str, object]:
        return {"mediaType": media_type, "digest": self.digest, "size": len(self.data)}


class Registry:
    """Runs in threads, on a random port of `address`. `authority` signs its certificate; `certificate` is the CA's."""

    def __init__(self, address: str, authority: trustme.CA, certificate: Path) -> None:
        self.certificate = certificate
        self._server = ThreadingHTTPServer((address, 0), _Handler)
        self._server.daemon_threads = True
        self._server.registry = self  # type: ignore[attr-defined]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST, BLOB_HOST).configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._config = Blob(CONFIG)
        self._config.rest.set()
        self.manifests: dict[str, dict[str, object]] = {}
        self.blobs = {self._config.digest: self._config}

    def name(self, repository: str) -> str:
        """The name under which Ollama pulls it."""
        return f"{HOST}:{self._server.server_port}/{repository}"

    def add(self, repository: str) -> Blob:
        """The only layer of a new model."""
        layer = Blob(os.urandom(LAYER_BYTES))
        self.blobs[layer.digest] = layer
        self.manifests[f"/v2/{repository}/manifests/latest"] = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": self._config.described("application/vnd.docker.container.image.v1+json"),
            "layers": [layer.described("application/vnd.ollama.image.model")],
        }
        return layer

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="registry").start()
        return self

    def __exit__(self, *_: object) -> None:
        for blob in self.blobs.values():
            blob.rest.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        registry: Registry = self.server.registry  # type: ignore[attr-defined]
        if manifest := registry.manifests.get(self.path):
            self._send(200, json.dumps(manifest).encode(), None, with_body=with_body)
        elif blob := registry.blobs.get(self.path.rpartition("/")[2]):
            self._send_blob(blob, with_body=with_body)
        else:
            self._send(404, b"{}", None, with_body=with_body)

    def _send_blob(self, blob: Blob, *, with_body: bool) -> None:
        wanted = self.headers.get("Range")
        if not with_body:
            self._send(200, blob.data, None, with_body=False)
            return
        if wanted is None:
            self.send_response(307)
            self.send_header("Location", f"https://{BLOB_HOST}:{self.server.server_port}{self.path}")  # type: ignore[attr-defined]
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        blob.downloads += 1
        first, last = (int(number) for number in wanted.removeprefix("bytes=").split("-"))
        self._send(206, blob.data[first : last + 1], blob.rest, with_body=with_body)

    def _send(self, status: int, body: bytes, rest: threading.Event | None, *, with_body: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not with_body:
            return
        half = len(body) // 2 if rest else len(body)
        try:
            self.wfile.write(body[:half])
            if rest:
                rest.wait()
            self.wfile.write(body[half:])
        except OSError:  # the client disconnected
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Silent: a test reports its own failures."""
