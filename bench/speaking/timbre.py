"""Whether a voice stays itself in another language, by the program's own speaker encoder."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bench.speaking.intelligibility import pair, say
from bench.speaking.sentences import LANGUAGES, PLAIN, Sentence, sentences
from webui.engines.registry import Engines
from webui.engines.speaker_encoder import Print, SpeakerEncoder, similarity
from webui.types import Audio, Voice


@dataclass(frozen=True)
class Timbre:
    """Cosines of voice prints.

    ``across``: of each voice in its own language and in the other. Beside them the two ends of the scale: ``within``,
    of each voice in other sentences of its own language; ``others``, of two voices of one language.
    """

    across: dict[str, float]
    within: dict[str, float]
    others: dict[str, float]

    @property
    def mean(self) -> float:
        """Across languages, over all voices."""
        return round(statistics.mean(self.across.values()), 3)


def compare_timbres(engines: Engines, encoder: SpeakerEncoder, count: int) -> Timbre:
    """A woman's and a man's voice of each language; each print is of ``count`` plain sentences."""
    plain = {code: [one for one in sentences(code) if one.kind == PLAIN] for code in LANGUAGES}
    across: dict[str, float] = {}
    within: dict[str, float] = {}
    others: dict[str, float] = {}
    for home, away in (LANGUAGES, LANGUAGES[::-1]):
        prints: dict[str, Print] = {}
        for voice in pair(engines.synthesizer.voices(), home):
            own, more, foreign = (
                encoder.embed(_read(engines, voice, texts))
                for texts in (plain[home][:count], plain[home][count : 2 * count], plain[away][:count])
            )
            prints[voice.id] = own
            across[voice.id], within[voice.id] = similarity(own, foreign), similarity(own, more)
        for one, other in combinations(prints, 2):
            others[f"{one}, {other}"] = similarity(prints[one], prints[other])
    return Timbre(across, within, others)


def _read(engines: Engines, voice: Voice, texts: Sequence[Sentence]) -> Audio:
    clips = [say(engines, text.text, voice, text.language) for text in texts]
    return Audio(np.concatenate([clip.samples for clip in clips]), clips[0].rate)
