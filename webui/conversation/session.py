"""One person's conversation: what was said, how they usually sound, which turn is live, and its recordings."""

from __future__ import annotations

import json
import secrets
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webui.audio.convert import to_wav_bytes
from webui.conversation.memory import Memory
from webui.conversation.scope import Generations
from webui.conversation.scratch import scratch
from webui.conversation.warming import Warming
from webui.types import Audio, VoiceBaseline

# A conversation keeps its latest turns on disk for download; older recordings make room for newer ones.
MAX_KEPT_TURNS = 50


@dataclass(frozen=True)
class TurnRecord:
    """One finished turn, as it is downloaded: plain data, and the names of its recordings."""

    number: int
    data: dict[str, Any]
    files: tuple[str, ...]


def new_id(kind: str) -> str:
    """A name for something of that ``kind`` that nobody can guess."""
    return f"{kind}_{secrets.token_hex(8)}"


class Conversation:
    """Belongs to one browser session; nothing in it is shared. ``close`` deletes its recordings."""

    def __init__(self) -> None:
        # Whoever knows the id may download the conversation, so it must not be guessable.
        self.id = secrets.token_urlsafe(24)
        self.generations = Generations()
        self.warming = Warming()
        self._folder = tempfile.TemporaryDirectory(dir=scratch(), ignore_cleanup_errors=True)
        self.reset()

    def reset(self) -> None:
        """Forget everything said so far, and delete its recordings."""
        self.generations.cancel()
        self.memory = Memory()
        self.baseline = VoiceBaseline()
        self._records: list[TurnRecord] = []
        for file in Path(self._folder.name).iterdir():
            file.unlink()

    def keep(self, number: int, data: dict[str, Any], sounds: dict[str, Audio]) -> None:
        """Keep a turn for download: ``data`` is JSON, ``sounds`` maps ``you``/``reply`` to what was heard."""
        files = []
        for who, audio in sounds.items():
            name = f"{number:03d}-{who}.wav"
            (Path(self._folder.name) / name).write_bytes(to_wav_bytes(audio))
            files.append(name)
        self._records.append(TurnRecord(number, data, tuple(files)))
        while len(self._records) > MAX_KEPT_TURNS:
            for name in self._records.pop(0).files:
                (Path(self._folder.name) / name).unlink()

    def correct(self, number: int, reply: str) -> None:
        """Of the kept turn ``number`` only this was heard."""
        for record in self._records:
            if record.number == number:
                record.data["reply"] = reply

    def archive(self, text: Callable[[list[dict[str, Any]]], str]) -> Path:
        """Write the kept turns and their recordings into a ZIP beside them; ``text`` renders them for reading."""
        path = Path(self._folder.name) / "conversation.zip"
        turns = [{"turn": r.number, **r.data, "files": list(r.files)} for r in self._records]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("conversation.json", json.dumps(turns, ensure_ascii=False, indent=1))
            out.writestr("conversation.txt", text(turns))
            for record in self._records:
                for name in record.files:
                    out.write(Path(self._folder.name) / name, name)
        return path

    def close(self) -> None:
        """Stop what is going on and delete the recordings."""
        self.generations.cancel()
        self._folder.cleanup()
