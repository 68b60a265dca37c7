"""The model store: weights on disk, fetched once, verified, and shared by all processes of this machine."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webui.engines.catalog import Catalog, ModelEntry, WeightFile, load_catalog
from webui.errors import ModelError

if TYPE_CHECKING:
    from filelock import BaseFileLock

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""``progress(what, done, total)``, in bytes. It is also called while nothing arrives; an exception raised in it
(``webui.errors.Cancelled``, say) stops the fetch, and a later one goes on from there."""

SPARE_BYTES = 256 << 20
"""Free disk beyond the model itself: the package being opened, and some air."""
LOCK_POLL_S = 0.3
_MARKER = ".verified.json"


@dataclass(frozen=True)
class Found:
    """A model that is there; ``note`` says why it is not the one that was asked for, if it is not."""

    model_id: str
    folder: Path
    note: str = ""


class ModelStore:
    """Fetched weights under ``root``, one folder a model, as ``models/catalog.toml`` describes them.

    What is under way lies in ``root``/.fetch and is moved into place whole, when every sha256 is right.
    """

    def __init__(self, root: Path, catalog: Catalog | None = None) -> None:
        self.root = root
        self.catalog = load_catalog() if catalog is None else catalog
        self.listener: Progress = _silent
        """Hears of the fetches that nobody else watches: those that an engine starts when it is first used."""
        self.settled: Callable[[], object] = lambda: None
        """Called when such a fetch has ended, well or badly."""
        self.hub = ""
        """The hub to try first (``modelscope`` or ``huggingface``); empty for the catalogue's own order."""

    def entry(self, model_id: str) -> ModelEntry:
        """The catalogue's entry. Raises ``ModelError`` for a name that is not in it."""
        if model_id not in self.catalog:
            names = ", ".join(self.catalog)
            raise ModelError(
                "model_unknown", f"There is no model named {model_id}; the names are {names}.", name=model_id
            )
        return self.catalog[model_id]

    def ensure(self, model_id: str, progress: Progress | None = None) -> Path:
        """The folder of a model, fetched first if it is not there.

        Raises ``ModelError``, which names every source that was tried; and whatever ``progress`` raises.
        """
        entry = self.entry(model_id)
        if not self._is_here(model_id):
            try:
                self._fetch(entry, progress or self.listener)
            finally:
                if progress is None:
                    self.settled()
        return self.root / model_id

    def ensure_or_fallback(self, model_id: str, progress: Progress | None = None, *, retry: bool = False) -> Found:
        """Like ``ensure``; where the model cannot be had, its ``fallback`` of the catalogue, and why.

        A fallback that is here is taken at once; with ``retry`` the model itself is tried again first.
        """
        entry = self.entry(model_id)
        if entry.fallback is None or self._is_here(model_id):
            return Found(model_id, self.ensure(model_id, progress))
        stand_in = f"{self.entry(entry.fallback).title} stands in for {entry.title}"
        if not retry and self._is_here(entry.fallback):
            how = f"python -m webui.models fetch {model_id}"
            return Found(entry.fallback, self.root / entry.fallback, f"{stand_in}, which is not here ({how}).")
        try:
            return Found(model_id, self.ensure(model_id, progress))
        except ModelError as error:
            log.info("%s is used instead of %s", entry.fallback, model_id)
            return Found(entry.fallback, self.ensure(entry.fallback, progress), f"{stand_in}: {error.message}")

    def present(self, model_id: str) -> bool:
        """Whether every file is there as it was when it was verified (its size and time of change: instant)."""
        folder = self.root / model_id
        record = _record(folder)
        try:
            return all(
                record[file.name] == [file.sha256 or record[file.name][0], *_stat(folder / file.name)]
                for file in self.entry(model_id).files
            )
        except (OSError, KeyError):
            return False

    def verify(self, model_id: str) -> bool:
        """Whether every file has its size and sha256 (reads all of it), noted for ``present``.

        They are the catalogue's; what it leaves out is compared with what was recorded when the files came. Files
        that a person laid there, of which neither says anything, are taken as they are, and recorded.
        """
        folder = self.root / model_id
        entry = self._recorded(self.entry(model_id))
        if self._first_wrong(entry, folder) is not None:
            return False
        try:
            self._note(entry, folder)
        except OSError:
            log.info("%s is right, but its folder cannot be written; it will be read again next time", model_id)
        return True

    def remove(self, model_id: str) -> int:
        """Delete a model and what was left of fetching it; returns the bytes that were freed."""
        freed = 0
        with self._locked(self.entry(model_id), _silent):
            for folder in (self.root / model_id, self._staging(model_id)):
                freed += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                if folder.exists():
                    shutil.rmtree(folder)
        return freed

    def _is_here(self, model_id: str) -> bool:
        return self.present(model_id) or self.verify(model_id)

    def _fetch(self, entry: ModelEntry, progress: Progress) -> None:
        try:
            with self._locked(entry, progress):
                if not self._is_here(entry.id):  # another process may have been faster
                    self._try_sources(entry, progress)
        except OSError as error:
            log.exception("fetching %s failed", entry.id)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._no_room(entry, entry.size) from error
            raise ModelError(
                "models_unwritable", "The models folder cannot be written; choose another with --models-dir."
            ) from error

    def _try_sources(self, entry: ModelEntry, progress: Progress) -> None:
        from webui.engines.download import SourceError
        from webui.engines.hub import completed
        from webui.engines.sources import bring, source_name

        tried = []
        for source in sorted(entry.sources, key=lambda source: source.kind != self.hub):
            staging = self._staging(entry.id) / source.kind
            log.info("fetching %s from %s", entry.id, source_name(source))
            try:
                whole = completed(entry, source)
                self._check_room(whole, staging)
                bring(source, whole, staging, _counted(progress, whole))
                wrong = self._first_wrong(whole, staging)
                if wrong is not None:
                    shutil.rmtree(staging)
                    raise SourceError(f"{wrong.name} is not the file it should be")
            except SourceError as error:
                log.info("%s from %s: %s", entry.id, source_name(source), error)
                tried.append(f"{source_name(source)}: {error}")
                continue
            self._put_in_place(whole, staging)
            return
        what = "; ".join(tried)
        raise ModelError(
            "model_unavailable",
            f"{entry.title} could not be fetched ({what}); check the network connection, then try again.",
            name=entry.title,
            tried=what,
        )

    def _put_in_place(self, entry: ModelEntry, staging: Path) -> None:
        kept = {file.name for file in entry.files}
        for path in staging.rglob("*"):
            if path.is_file() and path.relative_to(staging).as_posix() not in kept:
                path.unlink()
        self._note(entry, staging)
        folder = self.root / entry.id
        if folder.exists():
            shutil.rmtree(folder)
        staging.rename(folder)
        shutil.rmtree(self._staging(entry.id))

    def _check_room(self, entry: ModelEntry, staging: Path) -> None:
        here = sum(path.stat().st_size for path in staging.rglob("*") if path.is_file())
        needed = max(0, entry.size - here) + SPARE_BYTES
        if shutil.disk_usage(self.root).free < needed:
            raise self._no_room(entry, needed)

    def _no_room(self, entry: ModelEntry, needed: int) -> ModelError:
        free = shutil.disk_usage(self.root).free
        return ModelError(
            "disk_full",
            f"{entry.title} needs {needed / 1e9:.1f} GB of free disk and {free / 1e9:.1f} GB is free; "
            "make room, or choose another disk with --models-dir.",
            name=entry.title,
            needed=f"{needed / 1e9:.1f}",
            free=f"{free / 1e9:.1f}",
        )

    @contextmanager
    def _locked(self, entry: ModelEntry, progress: Progress) -> Iterator[None]:
        """Hold the model against other processes; ``progress`` hears of the waiting."""
        from filelock import FileLock

        lock_file = self._staging(entry.id).with_name(f"{entry.id}.lock")
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_file)
        while not _acquired(lock):
            progress(f"{entry.title} (another process is fetching it)", 0, entry.size)
        try:
            yield
        finally:
            lock.release()

    def _staging(self, model_id: str) -> Path:
        return self.root / ".fetch" / model_id

    def _first_wrong(self, entry: ModelEntry, folder: Path) -> WeightFile | None:
        for file in entry.files:
            path = folder / file.name
            if not path.is_file() or not _is(path, file):
                return file
        return None

    def _recorded(self, entry: ModelEntry) -> ModelEntry:
        """The entry, with the sizes and sha256 that it leaves out as they were when its files came."""
        record = _record(self.root / entry.id)

        def filled(file: WeightFile) -> WeightFile:
            if file.pinned or file.name not in record:
                return file
            digest, size, _ = record[file.name]
            return file.model_copy(update={"size": file.size or size, "sha256": file.sha256 or digest})

        return entry.model_copy(update={"files": tuple(filled(file) for file in entry.files)})

    def _note(self, entry: ModelEntry, folder: Path) -> None:
        record = {
            file.name: [file.sha256 or sha256(folder / file.name), *_stat(folder / file.name)] for file in entry.files
        }
        (folder / _MARKER).write_text(json.dumps(record))


def sha256(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    return _digest(path, hashlib.sha256())


def _is(path: Path, file: WeightFile) -> bool:
    """Whether the file at ``path`` is what is known of ``file``."""
    size = path.stat().st_size
    if file.size not in (None, size) or (file.sha256 is not None and sha256(path) != file.sha256):
        return False
    # SHA-1 is what Git names its contents by; of a text file that a trusted hub lists, it says enough.
    blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    return file.blob is None or _digest(path, blob) == file.blob


def _digest(path: Path, digest: hashlib._Hash) -> str:
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _record(folder: Path) -> dict[str, list[Any]]:
    """What was noted of the files in ``folder``: name -> sha256, bytes, time of change in ns. Empty where nothing."""
    try:
        record = json.loads((folder / _MARKER).read_text())
        return {name: [str(digest), int(size), int(when)] for name, (digest, size, when) in record.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _stat(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _acquired(lock: BaseFileLock) -> bool:
    from filelock import Timeout

    try:
        lock.acquire(timeout=LOCK_POLL_S)
    except Timeout:
        return False
    return True


def _counted(progress: Progress, entry: ModelEntry) -> Callable[[int], None]:
    return lambda done: progress(entry.title, done, entry.size)


def _silent(what: str, done: int, total: int) -> None:
    """The progress of someone who does not watch."""
