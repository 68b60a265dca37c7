"""A microphone that stays open: who speaks when, frame by frame, in a thread of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from webui.audio.vad import FRAME, FRAME_SECONDS, RATE, Silero
from webui.conversation.endings import Ending
from webui.conversation.turntaking import Ended, Faltered, Happening, Paused, TurnTaker, TurnTaking
from webui.types import Audio, Samples

# Sound before the beginning of speech that belongs to the utterance: its first consonant, and what tells the mood.
LEAD_S = 0.3
# A client that sends nothing for so long has been muted or has gone: for it, the time goes on in silence.
STALLED_S = 0.5


@dataclass(frozen=True, eq=False)
class Noticed:
    """What happened ``now`` (seconds of the stream), and how much speech there was in the turn.

    Where the voice falters, at a pause and at the end of a turn, with its sound so far.
    """

    happening: Happening
    now: float
    voiced: float
    sound: Audio | None


class Ear:
    """Listens to one stream of 16 kHz sound. ``notice`` is called from the ear's own thread."""

    def __init__(self, options: TurnTaking, longest: float, notice: Callable[[Noticed], object]) -> None:
        """``longest``: seconds after which an utterance is ended, whoever still speaks."""
        self._taker = TurnTaker(options)
        self._silero = Silero()
        self._longest = longest
        self._notice = notice
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._rest = np.zeros(0, np.float32)
        self._frames: deque[Samples] = deque()
        self._lead = round(LEAD_S / FRAME_SECONDS)
        self._now = 0.0  # seconds of the stream
        self._fed_at = time.monotonic()
        threading.Thread(target=self._listen, name="ear", daemon=True).start()

    def feed(self, samples: Samples) -> None:
        """The next samples (n,) of the microphone, any number of them. Returns at once."""
        self._inbox.put(lambda: self._hear(samples))

    def told(self, number: int, ending: Ending) -> None:
        """How the words end that were recognised in pause ``number``."""
        self._inbox.put(lambda: self._taker.heard(number, ending))

    def forget(self) -> None:
        """What is being said does not count."""
        self._inbox.put(self._taker.reset)

    def close(self) -> None:
        """Stop listening."""
        self._inbox.put(None)

    def _listen(self) -> None:
        while True:
            try:
                work = self._inbox.get(timeout=STALLED_S if self._taker.speaking else None)
            except queue.Empty:
                silence = round((time.monotonic() - self._fed_at) * RATE)
                self._hear(np.zeros(silence, np.float32))
                continue
            if work is None:
                return
            work()

    def _hear(self, samples: Samples) -> None:
        self._fed_at = time.monotonic()
        samples = np.concatenate((self._rest, samples))
        whole = len(samples) // FRAME * FRAME
        self._rest = samples[whole:].copy()
        for frame in samples[:whole].reshape(-1, FRAME):
            self._frames.append(frame)
            self._now += FRAME_SECONDS
            probability = float(self._silero.probabilities(frame[None])[0])
            for happening in self._taker.feed(probability, FRAME_SECONDS):
                self._tell(happening)
            if not self._taker.speaking:
                while len(self._frames) > self._lead:
                    self._frames.popleft()
            elif len(self._frames) * FRAME_SECONDS >= self._longest:
                self._taker.reset()
                self._tell(Ended(self._now))

    def _tell(self, happening: Happening) -> None:
        wanted = isinstance(happening, (Faltered, Paused, Ended))
        sound = Audio(np.concatenate(self._frames), RATE) if wanted else None
        self._notice(Noticed(happening, self._now, self._taker.voiced, sound))
