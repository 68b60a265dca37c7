"""Whether what is spoken can be understood: every sentence is said, and recognised by the program's own recognizer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, groupby

import numpy as np

from bench.speaking.scoring import Score, score, uttered
from bench.speaking.sentences import Sentence
from webui.audio.convert import resample
from webui.engines.protocols import RecognitionRequest
from webui.engines.registry import Engines
from webui.errors import UserError
from webui.features.speak import Said, Script, plan, speak
from webui.types import Audio, Style, Transcript, Voice

NEUTRAL = Style()
RATE = 16_000  # Hz: what the recognizer, the melody and the voice prints are made from


@dataclass(frozen=True)
class Heard:
    """What became of a sentence. ``sound`` and ``work`` in seconds; ``failure`` is why nothing was said.

    ``as_reading`` is how many errors are left when its reading is said in its place: if there are fewer, it was not
    the voice and not the recognizer, but how the text was read. None where nothing was wrong.
    """

    sentence: Sentence
    voice: str
    text: str
    score: Score
    sound: float
    work: float
    mark_said: bool
    as_reading: int | None = None
    failure: str = ""

    @property
    def dropped(self) -> bool:
        """Whether it, or most of it, was not said."""
        return bool(self.failure) or self.score.dropped


def hear_all(engines: Engines, sentences: Iterable[Sentence]) -> Iterator[Heard]:
    """Each of ``sentences`` as it was heard, said by a woman's and a man's voice in turn."""
    voices: dict[str, Iterator[Voice]] = {}
    for sentence in sentences:
        language = sentence.language
        if language not in voices:
            voices[language] = cycle(pair(engines.synthesizer.voices(), language))
        yield hear(engines, sentence, next(voices[language]))


def pair(voices: Sequence[Voice], language: str) -> list[Voice]:
    """The best voice of each gender that has ``language`` as its own; else the best that speaks it."""
    native = [voice for voice in voices if voice.languages[:1] == (language,)]
    found = {voice.gender: voice for voice in reversed(native)}
    return list(found.values()) or [voice for voice in voices if language in voice.languages][:1]


def hear(engines: Engines, sentence: Sentence, voice: Voice) -> Heard:
    """Say ``sentence``, and listen."""
    began = time.perf_counter()
    try:
        audio = say(engines, sentence.text, voice, sentence.language)
    except UserError as error:
        nothing = score(sentence.readings, "", sentence.language)
        return Heard(sentence, voice.id, "", nothing, 0.0, 0.0, False, failure=error.message)
    work = time.perf_counter() - began
    text = listen(engines, audio, sentence.language)
    found = score(sentence.readings, text, sentence.language)
    said = uttered(sentence.never, text, sentence.language)
    again = None
    if found.wrong:
        reading = say(engines, sentence.readings[0], voice, sentence.language)
        again = score(sentence.readings, listen(engines, reading, sentence.language), sentence.language).wrong
    return Heard(sentence, voice.id, text, found, audio.duration, work, said, again)


def say(engines: Engines, text: str, voice: Voice, language: str, style: Style = NEUTRAL) -> Audio:
    """``text`` read aloud as the page does it, at ``RATE``. Raises ``UserError``."""
    script = Script(text, voice, style, language=language)
    said = (found for found in speak(engines, script, plan(script)) if isinstance(found, Said))
    parts = [[found.audio for found in part] for _, part in groupby(said, key=lambda found: found.part)]
    joined = [Audio(np.concatenate([sound.samples for sound in part]), part[0].rate) for part in parts]
    return Audio(np.concatenate([resample(sound, RATE).samples for sound in joined]), RATE)


def listen(engines: Engines, audio: Audio, language: str) -> str:
    """The words that were heard in ``audio``."""
    request = RecognitionRequest(audio, language=language, words=False)
    return Transcript(tuple(engines.recognizer.transcribe(request)), audio.duration).text
