"""A file server on the loopback address that can be told to misbehave, and packages made on the spot."""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.serving import QuietHandler, listening
from webui.engines.catalog import Catalog, ModelEntry


@dataclass
class FileServer:
    """Serves ``files`` (path to bytes) with ETag and Range. ``asked`` is every GET: its path and its Range."""

    files: dict[str, bytes]
    url: str = ""
    etag: str = '"first"'
    cut_after: list[int] = field(default_factory=list)
    """For each of the next answers: close the connection after so many bytes."""
    statuses: list[int] = field(default_factory=list)
    """For each of the next answers: this status instead of the file."""
    slowness_s: float = 0.0
    """Waiting between blocks."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range", "")
        self.asked.append((request.path, wanted))
        if self.statuses:
            return self._plain(request, self.statuses.pop(0))
        if request.path not in self.files:
            return self._plain(request, 404)
        body = self.files[request.path]
        start = 0
        if wanted and request.headers.get("If-Range") == self.etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            request.send_response(200)
        request.send_header("Content-Length", str(len(body) - start))
        request.send_header("ETag", self.etag)
        request.end_headers()
        end = start + self.cut_after.pop(0) if self.cut_after else len(body)
        for at in range(start, min(end, len(body)), 1 << 16):
            request.wfile.write(body[at : min(at + (1 << 16), end)])
            time.sleep(self.slowness_s)
        request.close_connection = True
        return None

    def _plain(self, request: BaseHTTPRequestHandler, status: int) -> None:
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[FileServer]:
    """A ``FileServer`` that is up."""
    state = FileServer(files)

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            try:
                state.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def do_HEAD(self) -> None:
            state._plain(self, 200)

    with listening(Handler) as url:
        state.url = url
        yield state


def entry(
    files: dict[str, bytes], *sources: dict[str, object], model_id: str = "toy", pinned: bool = True, **more: object
) -> ModelEntry:
    """A catalogue entry for these contents; one that is not ``pinned`` only names them."""
    rows: list[dict[str, object]] = [{"name": n} for n in files]
    if pinned:
        rows = [{"name": n, "size": len(b), "sha256": hashlib.sha256(b).hexdigest()} for n, b in files.items()]
    about = {
        "title": model_id.title(),
        "version": "1",
        "job": "is a toy",
        "by": "nobody",
        "licence": "CC0-1.0",
        "home": "https://example.org",
    }
    return ModelEntry.model_validate({**about, "id": model_id, "files": rows, "sources": sources, **more})


def catalog(*entries: ModelEntry) -> Catalog:
    return {one.id: one for one in entries}


def make_wheel(folder: Path, name: str, version: str, members: dict[str, bytes]) -> Path:
    """A wheel that pip accepts, with data files in it."""
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    info = f"{stem}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for member, content in members.items():
            wheel.writestr(member, content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path
