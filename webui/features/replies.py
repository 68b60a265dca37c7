"""One answer on its way to a listener: made in threads, held back until it is certain, followed while it plays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from webui.conversation.latency import FIRST_AUDIO, LatencyMarks
from webui.conversation.playback import Playback
from webui.conversation.session import Conversation
from webui.engines.registry import Engines
from webui.errors import Cancelled
from webui.features.chat import Spoke, Turn, TurnEvent, TurnSettings
from webui.features.hearing import Utterance
from webui.types import Audio


class Reply:
    """Runs a turn and hands its events to ``report``, in order, from any thread.

    A ``tentative`` reply is made ahead: its events are kept until ``release``, and gone with ``cancel``.
    """

    def __init__(
        self,
        engines: Engines,
        conversation: Conversation,
        settings: TurnSettings,
        report: Callable[[TurnEvent], None],
        *,
        question: str,
        reply: str,
        began: float,
        tentative: bool = False,
    ) -> None:
        """``began``: when, on the monotonic clock, the waiting began; ``question`` and ``reply``: the messages' ids."""
        self.marks = LatencyMarks(began)
        self.turn = Turn(
            engines, conversation, settings, self.marks, question=question, reply=reply, tentative=tentative
        )
        self.playback = Playback()
        self.busy = True  # it is being made
        self._report = report
        self._lock = threading.Lock()
        self._held: list[TurnEvent] | None = [] if tentative else None

    @property
    def certain(self) -> bool:
        """Whether it counts: it was not made ahead, or was released."""
        return self._held is None

    @property
    def active(self) -> bool:
        """Whether it is still being made or heard."""
        return self.busy or self.playback.playing

    def run(self, said: Audio | str | Utterance | None) -> str:
        """Make the answer; blocks until it is made. Returns how it ended: ``completed`` or ``cancelled``."""
        try:
            for event in self.turn.run(said):
                self._pass(event)
            return "completed"
        except Cancelled:
            return "cancelled"
        finally:
            self.end()

    def end(self) -> None:
        """It is made, or never will be; what was made is still heard."""
        self.turn.scope.cancel()
        self.busy = False

    def release(self) -> None:
        """It is certain now: what was held back is reported, and the rest as it comes."""
        self.turn.commit()
        with self._lock:
            held, self._held = self._held or [], None
            if any(isinstance(event, Spoke) for event in held):
                self.marks.marks[FIRST_AUDIO] = time.monotonic() - self.marks.started
            for event in held:
                self._tell(event)

    def cancel(self) -> None:
        """Stop making it, and stop it being heard; the conversation keeps what was heard until now."""
        with self._lock:  # nothing is reported any more once this has returned
            self.turn.scope.cancel()
            if self._held is None:
                self.turn.heard_until(self.playback.stop())

    def _pass(self, event: TurnEvent) -> None:
        with self._lock:
            if self._held is not None:
                self._held.append(event)
            elif not self.turn.scope.stale:
                self._tell(event)

    def _tell(self, event: TurnEvent) -> None:
        if isinstance(event, Spoke):
            self.playback.add(event.chunk.audio.duration)
        self._report(event)
