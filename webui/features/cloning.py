"""From somebody's recording to a clip that a voice can be made from, and to the consent of whose voice it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from webui.audio.loudness import levelled
from webui.conversation.scope import TurnScope
from webui.engines.protocols import RecognitionRequest
from webui.engines.registry import Engines
from webui.engines.speaker_encoder import similarity
from webui.features.proof import listen
from webui.types import Audio, Transcript
from webui.voices.clip import Finding, best_stretch, check_clip
from webui.voices.consent import Verdict, judge
from webui.voices.saved import Consent

PEAKS = 480  # pairs: what is drawn is narrower
FADE_S = 0.01  # in and out, so that a cut does not click


@dataclass(frozen=True, eq=False)
class Prepared:
    """A recording of ``duration`` seconds, and what was made of it.

    ``clip`` is the part ``kept`` (start and end in seconds), at the loudness of speech. ``transcript`` is what was
    heard in it, in ``language`` (a code; both empty where no words were). ``peaks`` are of the whole recording, int8
    (n, 2): the lowest and highest sample of each of n equal stretches, 127 for full scale.
    """

    clip: Audio
    duration: float
    kept: tuple[float, float]
    findings: tuple[Finding, ...]
    transcript: str
    language: str
    peaks: npt.NDArray[np.int8]

    @property
    def usable(self) -> bool:
        """Whether a voice can be made from it."""
        return all(finding.level != "bad" for finding in self.findings)


def prepare(engines: Engines, audio: Audio) -> Prepared:
    """Find the best part of ``audio``, judge it, and write down what is said in it.

    Raises ``AudioError`` where nobody speaks, and ``UserError`` where an engine fails.
    """
    kept = best_stretch(audio)
    findings = check_clip(audio, kept, engines.speaker)
    clip = levelled(_faded(audio.cut(*kept)))
    request = RecognitionRequest(clip, itn=False, words=False)  # the words as they are said, numbers too
    heard = Transcript(tuple(engines.recognizer.transcribe(request)), clip.duration)
    text = " ".join(heard.text.split())
    return Prepared(clip, audio.duration, kept, tuple(findings), text, heard.language if text else "", _peaks(audio))


def hear_consent(
    engines: Engines, clip: Audio, sentence: str, language: str, recording: Audio
) -> tuple[Consent, Verdict]:
    """Judge ``recording``: did the speaker of ``clip`` read ``sentence``, which is in ``language``?

    Raises ``AudioError`` where nobody speaks, and ``UserError`` where an engine fails.
    """
    spoken = recording.cut(*best_stretch(recording))
    alike = similarity(engines.speaker.embed(clip), engines.speaker.embed(spoken))
    heard = listen(engines.recognizer, recording, sentence, language, TurnScope(0))
    when = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Consent(sentence, heard.heard, heard.wrong, alike, when, recording), judge(heard.wrong, alike)


def _faded(audio: Audio) -> Audio:
    samples = audio.samples.copy()
    ramp = np.linspace(0, 1, round(FADE_S * audio.rate), dtype=np.float32)
    samples[: len(ramp)] *= ramp
    samples[-len(ramp) :] *= ramp[::-1]
    return Audio(samples, audio.rate)


def _peaks(audio: Audio) -> npt.NDArray[np.int8]:
    bounds = np.linspace(0, len(audio.samples), min(PEAKS, len(audio.samples)) + 1).astype(int)
    pairs = [(audio.samples[a:b].min(), audio.samples[a:b].max()) for a, b in pairwise(bounds)]
    drawn: npt.NDArray[np.int8] = np.rint(np.array(pairs) * 127).astype(np.int8)
    return drawn
