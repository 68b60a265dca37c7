"""A folder of saved voices that loses nothing: not to two writers at once, and not to a kill at any moment."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from webui.voices.saved import SavedVoice, VoiceError
from webui.voices.voicefile import SUFFIX, pack, peek, unpack

log = logging.getLogger(__name__)

MAX_VOICES = 500
SPARE_BYTES = 256 * 1024**2  # of disk that are left free
PATIENCE_S = 10.0  # how long one writer waits for another, which takes milliseconds
_ASIDE = ".aside"  # what is being written; whoever holds the lock may do with it what they like
_ID = re.compile("[0-9a-f]{32}")


class VoiceLibrary:
    """The voices of one owner in the folder ``root``, one file each (``webui/voices/voicefile.py``).

    A voice is written aside, brought to the disk, and then renamed to its place, so that it is there whole or not at
    all. Writers take turns, also those of other processes; readers need not. With ``consent``, a cloned voice is kept
    only with the record that who was cloned agreed.

    Every method that writes raises ``VoiceError`` where the folder or the disk does not take it.
    """

    def __init__(self, root: Path, consent: bool = True) -> None:
        self._root = root
        self._consent = consent

    def list(self) -> Sequence[SavedVoice]:
        """All voices without their sounds, the newest first; files that cannot be read are only logged."""
        voices = [voice for path in self._root.glob(f"*{SUFFIX}") if (voice := _listed(path))]
        return sorted(voices, key=lambda saved: (saved.created, saved.id), reverse=True)

    def get(self, voice_id: str) -> SavedVoice:
        """A voice with its sounds. Raises ``VoiceError``."""
        return unpack(self.export(voice_id))

    def export(self, voice_id: str) -> bytes:
        """The file of a voice, to be kept or imported elsewhere. Raises ``VoiceError``."""
        try:
            return self._path(voice_id).read_bytes()
        except FileNotFoundError as error:
            raise _missing() from error

    def save(self, saved: SavedVoice) -> None:
        """Keep a voice. Raises ``VoiceError`` without a consent that is needed and in a full library; see ``pack``."""
        if self._consent and saved.voice.kind == "cloned" and saved.consent is None:
            raise VoiceError(
                "consent_missing", "Have who is cloned read a sentence aloud first: without that no clone is kept."
            )
        data = pack(saved)
        with self._writing():
            if sum(1 for _ in self._root.glob(f"*{SUFFIX}")) >= MAX_VOICES:
                raise VoiceError("voices_full", f"{MAX_VOICES} voices are kept at most: delete one.", limit=MAX_VOICES)
            self._put(saved.id, data)

    def import_(self, data: bytes) -> SavedVoice:
        """Keep the voice of a file under an id of its own. Raises ``VoiceError`` also for a file that is not one."""
        saved = unpack(data).as_new()
        self.save(saved)
        return saved

    def rename(self, voice_id: str, name: str) -> SavedVoice:
        """Give a voice another name. Raises ``VoiceError``."""
        return self._change(voice_id, lambda saved: saved.renamed(name))

    def tag(self, voice_id: str, tags: Iterable[str]) -> SavedVoice:
        """Give a voice these tags in place of those it has. Raises ``VoiceError``."""
        return self._change(voice_id, lambda saved: saved.tagged(tags))

    def delete(self, voice_id: str) -> None:
        """Delete a voice for good. Raises ``VoiceError``."""
        path = self._path(voice_id)
        if not path.exists():
            raise _missing()
        with self._writing():
            path.unlink(missing_ok=True)
            _settle(self._root)

    def _change(self, voice_id: str, change: Callable[[SavedVoice], SavedVoice]) -> SavedVoice:
        self.get(voice_id)  # before there is a folder for a voice that is not there
        with self._writing():
            saved = change(self.get(voice_id))
            self._put(voice_id, pack(saved))
        return saved

    def _path(self, voice_id: str) -> Path:
        if not _ID.fullmatch(voice_id):
            raise _missing()
        return self._root / f"{voice_id}{SUFFIX}"

    def _put(self, voice_id: str, data: bytes) -> None:
        if shutil.disk_usage(self._root).free < SPARE_BYTES:
            raise _unwritable()
        aside = self._root / _ASIDE
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._path(voice_id))
        _settle(self._root)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The turn of one writer; what a killed one has left is gone."""
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self._root / ".lock").acquire(timeout=PATIENCE_S, poll_interval=0.01):
                (self._root / _ASIDE).unlink(missing_ok=True)
                yield
        except Timeout as error:
            raise VoiceError("voices_busy", "The voices are being changed from elsewhere: try again.") from error
        except OSError as error:
            log.exception("the voices in %s cannot be changed", self._root)
            raise _unwritable() from error


def _listed(path: Path) -> SavedVoice | None:
    try:
        return peek(path)
    except FileNotFoundError:
        return None  # deleted a moment ago
    except VoiceError as error:
        log.warning("%s is passed over: %s", path.name, error.message)
        return None


def _settle(folder: Path) -> None:
    """Bring a folder's names to the disk, so that they survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _missing() -> VoiceError:
    return VoiceError("voice_missing", "That voice is not there: choose another one.")


def _unwritable() -> VoiceError:
    return VoiceError(
        "voices_unwritable", "Voices cannot be saved: make room on the disk, or choose a folder with --voices-dir."
    )
