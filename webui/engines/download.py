"""Large files over HTTP: one address, gone on with where it was cut off, given up on in good time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

PROBE_S = 3.0
"""How long a host may take to answer at all."""
PROBE_KEPT_S = 300.0
"""How long that answer is believed."""
READ_S = 15.0
"""How long an open connection may stay silent."""
ATTEMPTS = 4
"""How often in a row a connection may break without bringing ``PROGRESS_BYTES``."""
PROGRESS_BYTES = 1 << 20
BLOCK = 1 << 18

Tick = Callable[[int], None]
"""``tick(done)``: so many bytes are here. Called while waiting too; what it raises stops the work."""

_probed: dict[str, tuple[float, bool]] = {}


class SourceError(Exception):
    """Why one source did not give a model: a few words, fit for the person's eyes."""


def reachable(url: str, within_s: float = PROBE_S) -> bool:
    """Whether the host of ``url`` answers within ``within_s`` seconds; remembered for ``PROBE_KEPT_S``.

    It asks in a thread, because a name server that does not answer cannot be given a time limit.
    """
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}/"
    when, answer = _probed.get(root, (-PROBE_KEPT_S, False))
    if time.monotonic() - when < PROBE_KEPT_S:
        return answer
    answered = threading.Event()

    def ask() -> None:
        try:
            httpx.head(root, timeout=within_s)
        except httpx.HTTPError:
            return
        answered.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(within_s)
    _probed[root] = (time.monotonic(), answered.is_set())
    return answered.is_set()


def download(url: str, target: Path, size: int, tick: Tick) -> None:
    """Bring the ``size`` bytes of ``url`` to ``target``, going on from what an earlier call left there.

    It goes on only where the server's ETag is still that of the part that is there (kept beside it in
    ``target``.etag); else it starts again. The content is for the caller to check. Raises ``SourceError``.
    """
    failures = 0
    timeout = httpx.Timeout(READ_S, connect=PROBE_S * 2)
    with httpx.Client(follow_redirects=True, timeout=timeout) as client:
        while _length(target) < size:
            before = _length(target)
            try:
                _receive(client, url, target, size, tick)
            except (httpx.RequestError, _Retry) as error:
                failures = 0 if _length(target) - before >= PROGRESS_BYTES else failures + 1
                if failures >= ATTEMPTS:
                    reason = str(error) if isinstance(error, _Retry) else "the connection broke"
                    raise SourceError(f"{reason}, {ATTEMPTS} times") from error
                _pause(2.0 ** (failures - 1), _length(target), tick)
    _etag_file(target).unlink(missing_ok=True)


class _Retry(Exception):  # noqa: N818  (a signal, not an error)
    """The server asks for patience, or stopped early."""


def _receive(client: httpx.Client, url: str, target: Path, size: int, tick: Tick) -> None:
    have = _length(target)
    etag_file = _etag_file(target)
    etag = etag_file.read_text() if etag_file.exists() else ""
    headers = {"Accept-Encoding": "identity"}
    if have and etag:
        headers |= {"Range": f"bytes={have}-", "If-Range": etag}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code in (408, 416, 429) or response.status_code >= 500:
            if response.status_code == 416:
                target.unlink(missing_ok=True)
            raise _Retry(f"it answered {response.status_code}")
        if response.status_code not in (200, 206):
            raise SourceError(f"it answered {response.status_code}")
        start = have if response.status_code == 206 else 0
        if start and not response.headers.get("content-range", "").startswith(f"bytes {start}-"):
            target.unlink()
            raise _Retry("it answered with another part")
        length = response.headers.get("content-length")
        plain = "content-encoding" not in response.headers
        if plain and length is not None and start + int(length) != size:
            raise SourceError("it has a file of another size")
        new_etag = response.headers.get("etag", "")
        # A weak ETag does not promise the same bytes.
        etag_file.write_text("" if new_etag.startswith("W/") else new_etag)
        with target.open("ab" if start else "wb") as out:
            done = start
            tick(done)
            for block in response.iter_bytes(BLOCK):
                done += len(block)
                if done > size:
                    raise SourceError("it has a file of another size")
                out.write(block)
                tick(done)
    if done < size:
        raise _Retry("it stopped early")


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _etag_file(target: Path) -> Path:
    return target.with_name(target.name + ".etag")


def _pause(seconds: float, done: int, tick: Tick) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        tick(done)
        time.sleep(min(0.2, seconds))
