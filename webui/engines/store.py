"""The model store: weights on disk, fetched once, verified, and shared by all processes of this machine."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from webui.engines.catalog import Catalog, ModelEntry, WeightFile, load_catalog
from webui.errors import ModelError

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""``progress(what, done, total)``, bytes. It is also called while nothing arrives; an exception raised in it
(``webui.errors.Cancelled``, say) stops the fetch, and a later one goes on from there."""

_MARKER = ".verified.json"


@dataclass(frozen=True)
class Found:
    """A model that is there: ``note`` says why it is not the one that was asked for, if it is not."""

    model_id: str
    folder: Path
    note: str = ""


class ModelStore:
    """Fetched weights under ``root``, one folder a model, as ``models/catalog.toml`` describes them."""

    def __init__(self, root: Path, catalog: Catalog | None = None) -> None:
        self.root = root
        self.catalog = load_catalog() if catalog is None else catalog

    def entry(self, model_id: str) -> ModelEntry:
        """The catalogue's entry. Raises ``ModelError`` for a name that is not in it."""
        try:
            return self.catalog[model_id]
        except KeyError:
            names = ", ".join(self.catalog)
            raise ModelError(
                "model_unknown", f"There is no model named {model_id}; the names are {names}.", name=model_id
            ) from None

    def ensure(self, model_id: str, progress: Progress | None = None) -> Path:
        """The folder of a model, fetched first if it is not there. Raises ``ModelError``."""
        entry = self.entry(model_id)
        if not self.present(model_id) and not self.verify(model_id):
            raise ModelError(
                "model_missing", f"The model {entry.title} is not here; run set-up to fetch it.", name=entry.title
            )
        return self.root / model_id

    def ensure_or_fallback(self, model_id: str, progress: Progress | None = None) -> Found:
        """Like ``ensure``; where the model cannot be had, its ``fallback`` of the catalogue, with the reason."""
        try:
            return Found(model_id, self.ensure(model_id, progress))
        except ModelError as error:
            entry = self.entry(model_id)
            if entry.fallback is None:
                raise
            found = self.ensure_or_fallback(entry.fallback, progress)
            return Found(found.model_id, found.folder, f"{error.message} {self.entry(found.model_id).title} is used.")

    def present(self, model_id: str) -> bool:
        """Whether every file is there as it was when it was verified (size and time of change: milliseconds)."""
        folder = self.root / model_id
        try:
            marker = json.loads((folder / _MARKER).read_text())
            return all(marker.get(f.name) == _mark(folder, f) for f in self.entry(model_id).files)
        except (OSError, ValueError):
            return False

    def verify(self, model_id: str) -> bool:
        """Whether every file has the size and sha256 of the catalogue (reads them whole: seconds a gigabyte)."""
        folder = self.root / model_id
        entry = self.entry(model_id)
        try:
            right = all(
                (folder / f.name).stat().st_size == f.size and sha256(folder / f.name) == f.sha256 for f in entry.files
            )
            if right:
                (folder / _MARKER).write_text(json.dumps({f.name: _mark(folder, f) for f in entry.files}))
        except OSError:
            return False
        return right


def _mark(folder: Path, file: WeightFile) -> list[object]:
    stat = (folder / file.name).stat()
    return [file.sha256, stat.st_size, stat.st_mtime_ns]


def sha256(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
