"""``python -m bench.turntaking``: whether the end of a turn, and an interruption, are found where they are.

Every item of ``bench.turntaking_set`` is heard in frames of 32 ms on a clock of its own: Silero, the turn taker, and
in each pause the embedded recognizer and Smart Turn on what was said so far. What they find is told ``--latency``
seconds after the pause was noticed, always as many, so that a busy machine does not change the result; how long it
really took is printed beside. Prints, for each kind of item:

finished, paused, trailing   said with the floor free. *Wrong cut*: the turn was over before the person was done.
                             *Wait*: from the end of the speech to the end of the turn, in seconds
afterthought                 the same, but what was said before the pause is a whole sentence by itself: who waits for
                             more here waits after every sentence. Counted apart from the wrong cuts
backchannel, noise           while a reply plays: *wrong* where it was interrupted
interruption                 while a reply plays: *wrong* where it was not. *Wait*: from the beginning of the speech

With the floor free the language is left open; while a reply plays it is that of the conversation. The last line is one
JSON object; its wait is of the finished items, and its rates are of the items that can go wrong so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.turntaking_set import BEFORE, Item, Recording, Studio, in_room, noises, spoken
from webui.audio.convert import resample
from webui.audio.decode import decode
from webui.audio.vad import FRAME, FRAME_SECONDS, RATE, Silero
from webui.config import ROOT, Settings
from webui.conversation.backchannels import confidence, is_backchannel
from webui.conversation.endings import ending, judged
from webui.conversation.turntaking import Began, Ended, Happening, Insisted, Paused, TurnTaker, WentOn
from webui.engines.protocols import RecognitionRequest, Recognizer
from webui.engines.registry import Engines
from webui.engines.smart_turn import SmartTurn
from webui.engines.store import ModelStore
from webui.types import Audio, Samples, Transcript

CACHE = ROOT / ".cache" / "bench" / "turntaking"
PAD = 0.3  # seconds kept before a turn's first voiced frame
LONGEST_NOISE = 3.0  # seconds of a real recording


@dataclass(frozen=True)
class Told:
    """The words of the pause that is still going on, and how likely the speaker is done by the sound (0 to 1)."""

    transcript: Transcript
    finality: float | None = None


Recognise = Callable[[Samples, str], Told]


@dataclass(frozen=True)
class Outcome:
    """How an item went: whether wrong, after how many seconds it was decided, and what was heard last."""

    item: Item
    wrong: bool
    wait: float | None
    heard: str


def follow(
    samples: Samples, taker: TurnTaker, recognise: Recognise, latency: float, language: str = "auto"
) -> Iterator[tuple[float, Happening | Told]]:
    """What happens at the microphone, and when, in seconds of its stream."""
    began, due, number, told = 0.0, np.inf, 0, None
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    for at, probability in enumerate(Silero().probabilities(frames), 1):
        now = at * FRAME_SECONDS
        if told is not None and now >= due:
            words = ending(told.transcript.text, told.transcript.language)
            taker.heard(number, judged(words, told.finality))
            yield now, told
            told = None
        for event in taker.feed(float(probability), FRAME_SECONDS):
            if isinstance(event, Began):
                began = event.at
            elif isinstance(event, WentOn):
                told = None
            elif isinstance(event, Paused):
                said = samples[max(0, round((began - PAD) * RATE)) : at * FRAME]
                due, number, told = now + latency, event.number, recognise(said, language)
            yield now, event


def turn(item: Item, recording: Recording, recognise: Recognise, latency: float) -> Outcome:
    """``item``, said with the floor free: when is the turn over?"""
    heard, cut, wait = "", False, None
    for now, event in follow(recording.samples, TurnTaker(), recognise, latency):
        if isinstance(event, Told):
            heard = event.transcript.text
        elif isinstance(event, Ended) and now < recording.over:
            cut = True
            break
        elif isinstance(event, Ended):
            wait = now - recording.over
    return Outcome(item, cut or wait is None, None if cut else wait, heard)


def talked_over(item: Item, recording: Recording, recognise: Recognise, latency: float) -> Outcome:
    """``item``, said while a reply plays: is the reply interrupted, and when?"""
    heard, at, taker = "", None, TurnTaker()
    language = item.language if item.kind != "noise" else "en"
    for now, event in follow(recording.samples, taker, recognise, latency, language):
        if isinstance(event, Told):
            heard = event.transcript.text
            if heard and not is_backchannel(heard, taker.voiced, confidence(event.transcript)):
                at = now
                break
        elif isinstance(event, Insisted):
            at = now
            break
    wrong = (at is None) == (item.kind == "interruption")
    return Outcome(item, wrong, None if at is None else at - BEFORE, heard)


class Timed:
    """A recognizer and the model of turns, and how long they took each time."""

    def __init__(self, recognizer: Recognizer, turn_end: SmartTurn) -> None:
        self._recognizer = recognizer
        self._turn_end = turn_end
        self.words_s: list[float] = []
        self.sound_s: list[float] = []

    def __call__(self, samples: Samples, language: str) -> Told:
        """What is to be told of ``samples`` at 16 kHz."""
        audio, started = Audio(samples, RATE), time.monotonic()
        segments = tuple(self._recognizer.transcribe(RecognitionRequest(audio, language, words=False)))
        recognised = time.monotonic()
        finality = self._turn_end.finality(audio)
        self.words_s.append(recognised - started)
        self.sound_s.append(time.monotonic() - recognised)
        return Told(Transcript(segments, audio.duration), finality)


def recordings(studio: Studio, sounds: Path | None) -> Iterator[tuple[Item, Recording]]:
    """All items; ``sounds`` is a folder of real noises, beside those that are made."""
    for item in spoken():
        yield item, studio.record(item)
    for name, sound in noises().items():
        yield Item("noise", "made", (name,), held_out=False), in_room(sound)
    for path in sorted(sounds.iterdir()) if sounds else ():
        sound = resample(decode(path), RATE).cut(0, LONGEST_NOISE).samples
        yield Item("noise", "real", (path.stem,), held_out=True), in_room(sound)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so much of ``values`` lies below; not a number where there is none."""
    return float(np.quantile(values, share)) if values else float("nan")


def summary(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """What the last line says."""

    def wrong(*kinds: str) -> tuple[int, int]:
        found = [o.wrong for o in outcomes if o.item.kind in kinds]
        return sum(found), len(found)

    cuts, turns = wrong("finished", "paused", "trailing")
    false, listened = wrong("backchannel", "noise")
    waits = [o.wait for o in outcomes if o.item.kind == "finished" and o.wait is not None]
    return {
        "items": len(outcomes),
        "wrong_cuts": cuts,
        "wrong_cut_rate": round(cuts / turns, 4),
        "afterthought_cuts": wrong("afterthought")[0],
        "finished_wait_p50_s": round(quantile(waits, 0.5), 3),
        "false_interruptions": false,
        "false_interruption_rate": round(false / listened, 4),
        "missed_interruptions": wrong("interruption")[0],
    }


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Lines for people: each kind and language, on both parts of the set."""
    yield f"{'':22}{'tuned on':>16}{'held out':>16}{'wait p50':>12}{'p90':>8}"
    for kind, language in dict.fromkeys((o.item.kind, o.item.language) for o in outcomes):
        of_kind = [o for o in outcomes if (o.item.kind, o.item.language) == (kind, language)]
        cells = ""
        for held_out in (False, True):
            wrong = [o.wrong for o in of_kind if o.item.held_out is held_out]
            cells += f"{f'{sum(wrong)} wrong of {len(wrong)}':>16}"
        waits = [o.wait for o in of_kind if o.wait is not None and not (o.wrong and kind == "finished")]
        times = f"{quantile(waits, 0.5):12.2f}{quantile(waits, 0.9):8.2f}" if waits else ""
        yield f"{kind + ' ' + language:22}{cells}{times}"


def complaints(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """One line for each item that went wrong."""
    for o in outcomes:
        if o.wrong:
            wait = "" if o.wait is None else f", {o.wait:.2f} s"
            said = " | ".join(o.item.said)
            yield f"wrong: {o.item.kind} {o.item.language} {o.item.voice} {said!r}: heard {o.heard!r}{wait}"


def main() -> None:
    """Run the set and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--latency", type=float, default=0.4, help="seconds from a pause to its words (default 0.4)")
    parser.add_argument("--sounds", type=Path, help="folder with recordings of coughs, sneezes and other noises")
    args = parser.parse_args()
    settings = Settings(profile="embedded", recognizer="whisper", synthesizer="kokoro")
    engines = Engines(settings, ModelStore(settings.models_dir))
    engines.turn_end.load()
    recognise = Timed(engines.recognizer, engines.turn_end)
    outcomes = []
    for item, recording in recordings(Studio(engines.synthesizer, CACHE), args.sounds):
        way = talked_over if item.kind in ("backchannel", "noise", "interruption") else turn
        outcomes.append(way(item, recording, recognise, args.latency))
    print(*complaints(outcomes), *table(outcomes), sep="\n")
    print(
        f"Noises are {'made, and recorded' if args.sounds else 'made'}. Words came after {args.latency} s; "
        f"recognising took {statistics.median(recognise.words_s):.2f} s here and judging the sound "
        f"{statistics.median(recognise.sound_s):.3f} s, {len(recognise.words_s)} times."
    )
    print(json.dumps(summary(outcomes)))
    engines.close()


if __name__ == "__main__":
    main()
