"""Whether a style can be heard: the melody moves where it should, and the words stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.speaking.intelligibility import listen, pair, say
from bench.speaking.scoring import rate, score
from bench.speaking.sentences import LANGUAGES, PLAIN, Sentence, sentences
from webui.audio.prosody import NAMES, measure
from webui.engines.registry import Engines
from webui.types import Audio, Style

MOVED = 0.1  # the share by which the melody must move, and must not move the other way
WORDS = 0.05  # more errors than a neutral voice makes of the same words, per word: these were changed

# Which way each style should move: up 1, down -1, 0 where it may go either way.
EXPECTED: Mapping[str, tuple[int, int]] = {  # height, span
    "happy": (1, 1),
    "sad": (-1, -1),
    "angry": (0, 1),
    "calm": (-1, -1),
    "excited": (1, 1),
}
WHISPER = "whisper"  # has no melody at all
_HEIGHT, _UPPER, _LOWER, _VOICED = map(NAMES.index, ("f0_median_st", "f0_upper_st", "f0_lower_st", "voiced_share"))


@dataclass(frozen=True)
class Melody:
    """``height`` in Hz, the middle of F0; ``span`` in Hz, from its 10th to its 90th percentile; ``voiced`` 0 to 1."""

    height: float
    span: float
    voiced: float


@dataclass(frozen=True)
class Styled:
    """A voice's style, as shares of its neutral melody, and the error rates of its words and of neutral ones."""

    style: str
    voice: str
    height: float
    span: float
    voiced: float
    errors: float
    neutral_errors: float

    @property
    def failed(self) -> str:
        """What is wrong with it, if anything is."""
        if self.errors > self.neutral_errors + WORDS:
            return "words changed"
        if self.style == WHISPER:
            return "voiced" if self.voiced > 0.5 else ""
        moves = [
            way * (share - 1) for way, share in zip(EXPECTED[self.style], (self.height, self.span), strict=True) if way
        ]
        if min(moves) <= -MOVED:
            return "moved the wrong way"
        return "" if max(moves) >= MOVED else "did not move"


def melody(audio: Audio) -> Melody:
    """Of one sentence at 16 kHz; all zero where nothing in it has a pitch."""
    values = measure(audio).values
    if values is None:
        return Melody(0.0, 0.0, 0.0)
    middle, up, down = values[_HEIGHT], values[_UPPER], values[_LOWER]
    return Melody(_hertz(middle), _hertz(middle + up) - _hertz(middle - down), float(values[_VOICED]))


def check_styles(engines: Engines, count: int) -> Iterator[Styled]:
    """Every style of a woman's and a man's voice of each language, on ``count`` plain sentences each."""
    for language in LANGUAGES:
        texts = [one for one in sentences(language) if one.kind == PLAIN][:count]
        for voice in pair(engines.synthesizer.voices(), language):
            clips = {
                name: [say(engines, text.text, voice, language, Style(name)) for text in texts]
                for name in ("neutral", *EXPECTED, WHISPER)
            }
            errors = {name: _errors(engines, texts, sounds) for name, sounds in clips.items()}
            neutral = [melody(clip) for clip in clips["neutral"]]
            for name in (*EXPECTED, WHISPER):
                found = [melody(clip) for clip in clips[name]]
                yield Styled(
                    name,
                    voice.id,
                    height=median(one.height / plain.height for one, plain in zip(found, neutral, strict=True)),
                    span=median(one.span / plain.span for one, plain in zip(found, neutral, strict=True)),
                    voiced=median(one.voiced for one in found),
                    errors=errors[name],
                    neutral_errors=errors["neutral"],
                )


def _errors(engines: Engines, texts: Sequence[Sentence], sounds: Sequence[Audio]) -> float:
    scores = [
        score(text.readings, listen(engines, sound, text.language), text.language)
        for text, sound in zip(texts, sounds, strict=True)
    ]
    return rate(scores) or 0.0


def _hertz(semitones: float) -> float:
    return float(100 * 2 ** (semitones / 12))
