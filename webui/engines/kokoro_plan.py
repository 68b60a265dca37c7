"""Where a text is cut into pieces for the synthesizer, and how a raw piece of sound is finished.

The first piece is short where nothing is playing yet, so that sound starts early; the rest is spoken sentence by
sentence, which gives the model the whole melody. A piece never has more than the model's 510 phonemes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from webui.engines.g2p import PAUSES, Said
from webui.types import Samples

RATE = 24_000
LIMIT = 400  # phonemes a piece; the model takes 510, and hurries when it has that many
FIRST = 45  # about three seconds of speech, made in less than one
LATER = 200
LEAST = 14  # a piece shorter than this sounds clipped: it joins its neighbour

_SENTENCE_ENDS = frozenset(".!?…")
_CLOSERS = ' "”)'
_PAUSE_S = {".": 0.30, "!": 0.30, "?": 0.30, "…": 0.35, ",": 0.12, ";": 0.18, ":": 0.18, "—": 0.15}
_WORD_GAP_S = 0.03

LOUDNESS = 0.1  # RMS of the voiced part, -20 dBFS
_SILENCE = 0.012  # of the loudest 10 ms: -38 dB
_KNEE, _CEILING = 0.8, 0.98


def size(pieces: Iterable[Said]) -> int:
    """Phonemes in ``pieces``."""
    return sum(len(piece.phonemes) for piece in pieces)


def ending(pieces: Sequence[Said]) -> str:
    """The pause mark that ``pieces`` end with, or nothing."""
    phonemes = "".join(piece.phonemes for piece in pieces[-2:]).rstrip(_CLOSERS)
    return phonemes[-1:] if phonemes[-1:] in PAUSES else ""


def plan(said: Iterable[Said], eager: bool = True) -> Iterator[list[Said]]:
    """``said`` in pieces to be spoken one after the other; together they are all of it.

    ``eager`` makes the first piece short.
    """
    ready: list[Said] = []  # held back until the next is known, in case that is too short to stand alone
    now: list[Said] = []
    first = eager
    for clause in _clauses(said):
        if size(now) >= LEAST and (_complete(now) or size(now) + size(clause) > (FIRST if first else LATER)):
            if ready:
                yield ready
            ready, now, first = now, [], False
        now = now + clause
    if ready and size(now) < LEAST and size(ready) + size(now) <= LIMIT:
        ready, now = ready + now, []
    yield from filter(None, (ready, now))


def _complete(pieces: Sequence[Said]) -> bool:
    return ending(pieces) in _SENTENCE_ENDS


def _clauses(said: Iterable[Said]) -> Iterator[list[Said]]:
    """Cut behind each pause; a clause that is too long, behind the word nearest to equal parts."""
    now: list[Said] = []
    for piece in said:
        now.append(piece)
        if ending([piece]):
            yield from _parts(now)
            now = []
    yield from _parts(now)


def _parts(clause: list[Said]) -> list[list[Said]]:
    if size(clause) <= LIMIT:
        return [clause]
    share = size(clause) / -(-size(clause) // LATER)
    out: list[list[Said]] = [[]]
    for piece in clause:
        for part in _short(piece):
            if out[-1] and size(out[-1]) + len(part.phonemes) / 2 > share:
                out.append([])
            out[-1].append(part)
    return out


def _short(piece: Said) -> list[Said]:
    """A single "word" longer than the model can take is cut where it happens to be."""
    cuts = range(0, max(1, len(piece.phonemes)), LATER)
    return [Said(piece.text if i == 0 else "", piece.phonemes[i : i + LATER]) for i in cuts]


def finish(raw: Samples, end: str, energy: float) -> tuple[Samples, float]:
    """The sound ``raw`` (24 kHz) trimmed, levelled and closed with the pause that the mark ``end`` asks for.

    Returns the samples, none above 0.98, and the seconds that were cut from the front. ``energy`` is a factor on
    the level, the same for every piece otherwise.
    """
    block = RATE // 100
    frames = raw[: len(raw) // block * block].reshape(-1, block)
    level = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(level > level.max(initial=0.0) * _SILENCE)
    if len(loud) == 0:
        return np.zeros(0, np.float32), 0.0
    start, stop = max(0, loud[0] - 2) * block, min(len(frames), loud[-1] + 4) * block
    active = level[level > level.max() * 0.1]
    sound = raw[start:stop] * (LOUDNESS / float(np.sqrt((active**2).mean())) * energy)
    over = np.abs(sound) > _KNEE
    bent = _KNEE + (_CEILING - _KNEE) * np.tanh((np.abs(sound[over]) - _KNEE) / (_CEILING - _KNEE))
    sound[over] = np.sign(sound[over]) * bent
    fade = min(len(sound) // 2, RATE // 100)
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    sound[:fade] *= ramp
    sound[len(sound) - fade :] *= ramp[::-1]
    pause = np.zeros(round(_PAUSE_S.get(end, _WORD_GAP_S) * RATE), np.float32)
    return np.concatenate([sound, pause]).astype(np.float32), start / RATE
