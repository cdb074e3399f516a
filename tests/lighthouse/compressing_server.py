"""Serve a built site as its hosts do: gzipped, with types, and to be kept for ten minutes."""

from __future__ import annotations

import gzip
import mimetypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What GitHub Pages and Read the Docs compress; fonts and PNGs are compressed already.
COMPRESSED = {"application/javascript", "application/json", "application/xml", "image/svg+xml"}
# Not every system's table has these, or has them so.
TYPES = {".js": "application/javascript", ".woff2": "font/woff2", ".woff": "font/woff"}


@cache
def answer(path: Path) -> tuple[str, bytes]:
    """Return the type of a file, and its content as it goes over the wire."""
    kind = (
        TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )
    content = path.read_bytes()
    text = kind.startswith("text/")
    body = gzip.compress(content, 6) if text or kind in COMPRESSED else content
    return f"{kind}; charset=utf-8" if text else kind, body


def compressed_size(path: Path) -> int:
    """Return how many bytes of a file go over the wire."""
    return len(answer(path)[1])


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD from the folder `root`."""

    protocol_version = "HTTP/1.1"  # connections stay open, as on every host
    root: Path

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        path = (self.root / unquote(urlsplit(self.path).path).lstrip("/")).resolve()
        path = path / "index.html" if path.is_dir() else path
        status = HTTPStatus.OK
        if not path.is_relative_to(self.root) or not path.is_file():
            path, status = self.root / "404.html", HTTPStatus.NOT_FOUND
        kind, body = answer(path)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if body[:2] == b"\x1f\x8b":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("ETag", f'"{sha256(body).hexdigest()[:16]}"')
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """Serve a folder while the context is open; its address ends in a slash."""
    handler = type("SiteHandler", (Handler,), {"root": root.resolve()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
