"""``python -m bench.speak``: is what is spoken understood, is it the same voice, and how soon does it come?

Every sentence of ``bench.speaking.sentences`` (numbers, dates, money, units, names, addresses, emoji, marks, two
languages in one) is said by each synthesizer that is here, and recognised again by the embedded Whisper. What comes
back is compared with how a person would read the text. The plain sentences, in which there is nothing to be read
otherwise than written, show what the recognizer itself gets wrong; and where a sentence is wrong, its reading is said
in its place, which tells whether the fault is in how the text was read. *Dropped*: nothing was said, or more than half
was not heard. *Marks said*: a tag, an emoji or a sign that is not for saying was heard.

Then: whether a voice is still the same in the other language; whether each style moves the melody by a tenth at least
and leaves the words alone; and speed, beside kokoro-onnx on the same weights and voice, Piper, hibari-tts and
espeak-ng, which install themselves under .cache/peers (espeak-ng: where it is on the path), all of them with as many
threads, and the same texts in turn. All of it takes three quarters of an hour on two cores, and wants a machine that
does nothing else. The last line is one JSON object, of the synthesizer that the program chooses by itself:

en_wer, zh_cer                    errors per word, and per syllable without its tone
cross_lingual_cosine              of the voice prints of a voice in two languages, mean of four voices
rtf                               seconds of work per second of sound, median
rtf_ratio_to_kokoro_onnx          ours over theirs, text by text, median
first_audio_ratio_to_kokoro_onnx  the same of the time until the first sound
style_checks_failed               how many styles do not do as they should, of six of each of four voices
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from bench.speaking.contest import contest
from bench.speaking.intelligibility import Heard, hear_all
from bench.speaking.report import show_heard, show_laps, show_styles, show_timbre, summary
from bench.speaking.sentences import LANGUAGES, sentences
from bench.speaking.styles import check_styles
from bench.speaking.timbre import compare_timbres
from webui.config import Settings
from webui.engines.registry import Engines
from webui.engines.speaker_encoder import SpeakerEncoder
from webui.engines.store import ModelStore


@dataclass(frozen=True)
class Size:
    """One sentence of how many is said; how many make a voice print, are said in each style, are timed, how often."""

    every: int
    printed: int
    styled: int
    timed: int
    rounds: int


FULL = Size(every=1, printed=6, styled=4, timed=20, rounds=2)
QUICK = Size(every=10, printed=2, styled=1, timed=4, rounds=1)
HEARD_BY = "whisper"


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.speak", description="How well and how soon it speaks.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sentences, and of the rest")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here")
    asked = parser.parse_args()
    size = QUICK if asked.quick else FULL
    console = Console(width=140, highlight=False, markup=False)
    with _engines() as engines:
        chosen = next(choice.name for choice in engines.choices if choice.job == "synthesizer")
        others = [o.name for o in engines.options("synthesizer") if o.lacks is None and o.name != chosen]
        heard: dict[str, list[Heard]] = {}
        for name in (*others, chosen):  # so that the chosen one is there for the rest
            engines.switch("synthesizer", name)
            heard[name] = [one for code in LANGUAGES for one in _heard(engines, code, size.every)]
            show_heard(console, name, heard[name])
        timbre = compare_timbres(engines, SpeakerEncoder(engines.store), size.printed)
        show_timbre(console, timbre)
        styles = list(check_styles(engines, size.styled))
        show_styles(console, styles)
        store, threads = engines.store, engines.settings.threads
    laps = contest(store, threads, size.timed, size.rounds)
    show_laps(console, laps)
    result = summary(heard[chosen], timbre, styles, laps)
    if asked.json:
        every = {
            "summary": result,
            "heard": {name: [asdict(one) for one in ones] for name, ones in heard.items()},
            "timbre": asdict(timbre),
            "styles": [asdict(one) | {"failed": one.failed} for one in styles],
            "laps": {name: asdict(lap) for name, lap in laps.items()},
        }
        asked.json.write_text(json.dumps(every, ensure_ascii=False, indent=1))
    print(json.dumps(result))


def _heard(engines: Engines, language: str, every: int) -> Iterator[Heard]:
    return hear_all(engines, sentences(language)[::every])


@contextmanager
def _engines() -> Iterator[Engines]:
    settings = Settings(recognizer=HEARD_BY)
    engines = Engines(settings, ModelStore(settings.models_dir))
    try:
        yield engines
    finally:
        engines.close()


if __name__ == "__main__":
    main()
