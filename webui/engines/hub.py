"""What a model hub says of a repository's files: where they lie, how large they are, and their checksums."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from webui.engines.catalog import HubSource, ModelEntry, Source, UrlSource, WeightFile
from webui.engines.download import SourceError, reachable

LIST_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Stated:
    """What a hub says of one file: its bytes, and its sha256 or, of a small file, its Git blob id (SHA-1)."""

    size: int
    sha256: str | None
    blob: str | None


def hub_root(kind: str) -> str:
    """The address of a hub. HF_ENDPOINT and MODELSCOPE_DOMAIN name mirrors, as for those hubs' own tools."""
    if kind == "huggingface":
        host = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    else:
        host = os.environ.get("MODELSCOPE_DOMAIN") or "www.modelscope.cn"
    return (host if "://" in host else f"https://{host}").rstrip("/")


def file_url(source: HubSource | UrlSource, name: str) -> str:
    """Where the file ``name`` lies."""
    if source.kind == "url":
        return f"{source.url}/{name}"
    models = "" if source.kind == "huggingface" else "/models"
    return f"{hub_root(source.kind)}{models}/{source.repo}/resolve/{source.revision}/{_path(source, name)}"


def completed(entry: ModelEntry, source: Source) -> ModelEntry:
    """The entry with the sizes and checksums that it leaves out, as ``source`` states them.

    Raises ``SourceError`` where it cannot be asked, does not have a file, or states no checksum of it.
    """
    if entry.pinned:
        return entry
    if not isinstance(source, HubSource):
        raise SourceError("it states no checksums")
    if not reachable(hub_root(source.kind)):
        raise SourceError("cannot be reached")
    stated = _listing(source)
    return entry.model_copy(update={"files": tuple(_filled(file, source, stated) for file in entry.files)})


def _filled(file: WeightFile, source: HubSource, stated: dict[str, Stated]) -> WeightFile:
    if file.pinned:
        return file
    found = stated.get(_path(source, file.name))
    if found is None:
        raise SourceError(f"it does not have {file.name}")
    sha256 = file.sha256 or found.sha256
    if sha256 is None and found.blob is None:
        raise SourceError(f"it states no checksum of {file.name}")
    blob = None if sha256 else found.blob
    return file.model_copy(update={"size": file.size or found.size, "sha256": sha256, "blob": blob})


def _path(source: HubSource, name: str) -> str:
    return f"{source.folder}/{name}" if source.folder else name


def _listing(source: HubSource) -> dict[str, Stated]:
    import httpx

    rows = _modelscope if source.kind == "modelscope" else _huggingface
    try:
        with httpx.Client(base_url=hub_root(source.kind), timeout=LIST_TIMEOUT_S, follow_redirects=True) as client:
            return dict(rows(client, source))
    except httpx.HTTPStatusError as error:
        raise SourceError(f"it answered {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise SourceError("the connection broke") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError("its list of files cannot be read") from error


def _modelscope(client: Any, source: HubSource) -> Iterator[tuple[str, Stated]]:
    query = {"Revision": source.revision, "Recursive": "True"}
    answer = client.get(f"/api/v1/models/{source.repo}/repo/files", params=query).raise_for_status().json()
    for row in answer["Data"]["Files"]:
        if row.get("Type") != "tree":
            yield row["Path"], Stated(int(row["Size"]), row.get("Sha256") or None, None)


def _huggingface(client: Any, source: HubSource) -> Iterator[tuple[str, Stated]]:
    """Large files lie in Git LFS under their sha256, small ones in Git itself; the list comes in pages."""
    page = f"/api/models/{source.repo}/tree/{source.revision}?recursive=true"
    while page:
        answer = client.get(page).raise_for_status()
        for row in answer.json():
            if row["type"] == "file":
                sha256 = row["lfs"]["oid"].removeprefix("sha256:") if row.get("lfs") else None
                yield row["path"], Stated(int(row["size"]), sha256, row.get("oid"))
        page = answer.links.get("next", {}).get("url", "")
