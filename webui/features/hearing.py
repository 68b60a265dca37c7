"""What a person says aloud in a conversation, understood against their usual voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from webui.audio.convert import require_sound
from webui.conversation.session import Conversation
from webui.engines.protocols import RecognitionRequest
from webui.engines.registry import Engines
from webui.errors import AudioError
from webui.types import Audio, Event, Transcript

MAX_TURN_SECONDS = 300.0  # of one spoken question

# Sounds that say something by themselves, so that they are answered even without words.
_TELLING = {Event.LAUGHTER, Event.CRY, Event.COUGH, Event.SNEEZE, Event.APPLAUSE, Event.SING}


@dataclass(frozen=True, eq=False)
class Utterance:
    """What was said, as sound and as it was understood.

    ``finality`` is how much it sounds as if the speaker were done, 0 to 1; None where nobody listened for that.
    """

    audio: Audio
    transcript: Transcript
    finality: float | None = None

    @property
    def words(self) -> str:
        """What the model is told was said. Raises ``AudioError`` where nothing was."""
        if text := self.transcript.text:
            return text
        if any(span.event in _TELLING for span in self.transcript.events):
            return "(no words)"
        raise AudioError("no_speech", "No words were heard. Speak a little closer to the microphone, and try again.")


def understand(
    engines: Engines,
    conversation: Conversation,
    audio: Audio,
    itn: bool,
    go_on: Callable[[], object],
    language: str = "auto",
) -> Utterance:
    """Recognise one utterance. ``go_on`` is called between segments, and raises where the work is not wanted any more.

    Raises ``AudioError`` for sound that is silent or longer than ``MAX_TURN_SECONDS``, and what the engine raises.
    """
    if require_sound(audio).duration > MAX_TURN_SECONDS:
        minutes = round(MAX_TURN_SECONDS / 60)
        raise AudioError(
            "turn_too_long",
            f"Keep one question under {minutes} minutes, or use the Transcribe tab.",
            minutes=minutes,
        )
    request = RecognitionRequest(audio, language=language, itn=itn, baseline=conversation.baseline)
    segments = []
    for segment in engines.recognizer.transcribe(request):
        go_on()
        segments.append(segment)
    return Utterance(audio, Transcript(tuple(segments), audio.duration))


def learn(conversation: Conversation, transcript: Transcript) -> None:
    """Add an utterance to how this speaker usually sounds."""
    for segment in transcript.segments:
        conversation.baseline = conversation.baseline.including(segment.voice)
