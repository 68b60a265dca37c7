"""Whether a style can be heard: the melody moves where it should, and the words stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from bench.speaking.intelligibility import listen, pair, say
from bench.speaking.scoring import Score, rate, score
from bench.speaking.sentences import LANGUAGES, PLAIN, sentences
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
    """A style in a language, as shares of the neutral melody, and the error rates of its words and of neutral ones."""

    style: str
    language: str
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
    """Every style in every language, on ``count`` plain sentences each."""
    for language in LANGUAGES:
        voice = pair(engines.synthesizer.voices(), language)[0]
        texts = [one for one in sentences(language) if one.kind == PLAIN][:count]
        found: dict[str, list[Melody]] = {}
        heard: dict[str, list[Score]] = {}
        for name in ("neutral", *EXPECTED, WHISPER):
            clips = [say(engines, text.text, voice, language, Style(name)) for text in texts]
            found[name] = [melody(clip) for clip in clips]
            heard[name] = [
                score(text.readings, listen(engines, clip, language), language)
                for text, clip in zip(texts, clips, strict=True)
            ]
        for name in (*EXPECTED, WHISPER):
            pairs = list(zip(found[name], found["neutral"], strict=True))
            yield Styled(
                name,
                language,
                height=median(styled.height / neutral.height for styled, neutral in pairs),
                span=median(styled.span / neutral.span for styled, neutral in pairs),
                voiced=median(styled.voiced for styled, _ in pairs),
                errors=rate(heard[name]) or 0.0,
                neutral_errors=rate(heard["neutral"]) or 0.0,
            )


def _hertz(semitones: float) -> float:
    return float(100 * 2 ** (semitones / 12))
