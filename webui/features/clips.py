"""Clips that somebody is about to make a voice from: kept for a while, by an id that cannot be guessed."""

from __future__ import annotations

import secrets
import tempfile
import time
from dataclasses import dataclass, field, replace
from threading import Lock, Timer

import numpy as np

from webui.conversation.scratch import scratch
from webui.errors import UserError
from webui.features.cloning import Prepared
from webui.types import Audio
from webui.voices.saved import Consent

MAX_CLIPS = 64  # in the whole process; the one that nobody has used for longest makes room for another
KEPT_S = 3600.0  # after its last use
SWEEP_S = 60.0  # between two looks for clips that are too old
MAX_TRANSCRIPT = 1000  # characters


@dataclass(eq=False)
class Clip:
    """A prepared clip, the sentence that is to be read for it and its language, and the consent, once there is one.

    ``transcript`` may have been corrected.
    """

    prepared: Prepared
    transcript: str
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    asked: tuple[str, str] | None = None
    consent: Consent | None = None
    used: float = field(default_factory=time.monotonic)

    def correct(self, transcript: str) -> None:
        """Take ``transcript`` for what is said. Raises ``UserError`` where it is too long."""
        if len(transcript) > MAX_TRANSCRIPT:
            raise UserError(
                "transcript_long",
                f"Keep the words of the clip under {MAX_TRANSCRIPT} characters.",
                limit=MAX_TRANSCRIPT,
            )
        self.transcript = " ".join(transcript.split())


class Clips:
    """All clips of this process. Their sound lies on disk, in files that nobody else can open."""

    def __init__(self) -> None:
        self._clips: dict[str, Clip] = {}
        self._lock = Lock()
        self._timer: Timer | None = None

    def add(self, prepared: Prepared) -> Clip:
        """Keep a clip."""
        clip = Clip(replace(prepared, clip=on_disk(prepared.clip)), prepared.transcript)
        with self._lock:
            while len(self._clips) >= MAX_CLIPS:
                del self._clips[min(self._clips, key=lambda key: self._clips[key].used)]
            self._clips[clip.id] = clip
            self._watch()
        return clip

    def get(self, clip_id: str) -> Clip:
        """The clip of that id. Raises ``UserError`` where it is deleted."""
        with self._lock:
            clip = self._clips.get(clip_id)
            if clip is None:
                raise UserError("clip_gone", "This clip is deleted: record or choose it again.")
            clip.used = time.monotonic()
        return clip

    def delete(self, clip_id: str) -> None:
        """Forget the clip, where there is one of that id."""
        with self._lock:
            self._clips.pop(clip_id, None)

    def _watch(self) -> None:
        """Have old clips deleted as long as there are any. Called with the lock held."""
        if self._timer is None and self._clips:
            self._timer = Timer(SWEEP_S, self._sweep)
            self._timer.daemon = True
            self._timer.start()

    def _sweep(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._timer = None
            self._clips = {key: clip for key, clip in self._clips.items() if now - clip.used <= KEPT_S}
            self._watch()


def on_disk(audio: Audio) -> Audio:
    """The same sound in a file without a name, which is gone when nobody refers to it."""
    with tempfile.TemporaryFile(dir=scratch()) as file:
        samples = np.memmap(file, np.float32, "w+", shape=audio.samples.shape)
    samples[:] = audio.samples
    return Audio(samples, audio.rate)
