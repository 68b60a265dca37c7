"""``python -m bench.watermark``: what the watermark withstands, what it costs, and how often chance looks like it.

Each of 100 pieces of speech (3 to 20 s, English and Chinese, twelve voices of our synthesizer) is looked at as it is
and with the watermark, before and after everything in ``ATTACKS``. What is in ``BEYOND`` is more than is promised.
Prints a table, then one JSON object:

found             least number of marked pieces found after one of the attacks
false_alarms      number of unmarked ones called marked, after any attack
highest_unmarked  the highest score of all unmarked ones; the lowest that counts as found is ``THRESHOLD``
lowest_marked     the lowest score of all marked ones after the attacks
swr_db            median signal-to-watermark ratio; swr_db_least the least
mark_speed        seconds of sound marked in a second; detect_speed the same for detection in sound without a watermark
misheard          share of letters that Whisper base gets wrong with the watermark; misheard_plain: without
"""

from __future__ import annotations

import argparse
import io
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.turntaking_said import SAID
from bench.turntaking_set import VOICES
from webui.audio.convert import resample
from webui.audio.decode import decode
from webui.audio.encode import encode
from webui.audio.loudness import levelled
from webui.audio.stretch import stretched
from webui.config import ROOT, Settings
from webui.engines.protocols import RecognitionRequest, Recognizer, SpeechRequest, Synthesizer
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.types import Audio
from webui.voices.watermark import PERIOD, SPEEDS, THRESHOLD, detect, watermark

CACHE = ROOT / ".cache" / "bench" / "watermark"
SHORTEST, LONGEST = 3.0, 20.0  # seconds

Attack = Callable[[Audio], Audio]


def through_mp3(audio: Audio, kilobits: int) -> Audio:
    """``audio`` (16 to 24 kHz) after MP3 at a constant bit rate, by LAME."""
    import soundfile

    file = io.BytesIO()
    level = (160 - kilobits) / (160 - 8)  # libsndfile counts from the highest bit rate of this rate down to the lowest
    soundfile.write(file, audio.samples, audio.rate, format="MP3", bitrate_mode="CONSTANT", compression_level=level)
    return decode(file.getvalue(), audio.rate)


def through_vorbis(audio: Audio) -> Audio:
    """``audio`` after OGG Vorbis at its usual quality."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, audio.samples, audio.rate, format="OGG", subtype="VORBIS")
    return decode(file.getvalue(), audio.rate)


def through(audio: Audio, rate: int) -> Audio:
    """``audio`` taken to ``rate`` Hz and back."""
    return resample(resample(audio, rate), audio.rate)


def noisy(audio: Audio, ratio_db: float) -> Audio:
    """``audio`` with white noise ``ratio_db`` below it."""
    noise = np.random.default_rng(len(audio.samples)).standard_normal(len(audio.samples))
    power = math.sqrt(float((audio.samples**2).mean())) * 10 ** (-ratio_db / 20)
    return Audio(np.clip(audio.samples + power * noise, -1, 1).astype(np.float32), audio.rate)


def faster(audio: Audio, by: float) -> Audio:
    """``audio`` as a tape that runs ``by`` (a share) too fast."""
    return Audio(resample(Audio(audio.samples, round(audio.rate * (1 + by))), audio.rate).samples, audio.rate)


def in_a_room(audio: Audio) -> Audio:
    """``audio`` from a loudspeaker in a room: with an echo of half its power that dies away in 0.4 s."""
    rng = np.random.default_rng(4)
    echo = rng.standard_normal(round(0.4 * audio.rate)) * np.exp(-np.arange(round(0.4 * audio.rate)) / audio.rate * 17)
    echo *= math.sqrt(0.5 / float((echo**2).sum()))
    echo[0] = 1
    size = len(audio.samples) + len(echo) - 1
    wet = np.fft.irfft(np.fft.rfft(audio.samples, size) * np.fft.rfft(echo, size), size)
    return Audio((0.5 * wet / max(0.5, float(np.abs(wet).max()))).astype(np.float32), audio.rate)


ATTACKS: Mapping[str, Attack] = {
    "nothing": lambda a: a,
    "MP3, 64 kbit/s": lambda a: through_mp3(a, 64),
    "16 kHz and back": lambda a: through(a, 16_000),
    "8 kHz and back": lambda a: through(a, 8_000),
    "16 kHz, then MP3": lambda a: through_mp3(through(a, 16_000), 64),
    "8 kHz, then MP3": lambda a: through_mp3(through(a, 8_000), 64),
    "12 dB quieter": lambda a: Audio(a.samples * np.float32(0.25), a.rate),
    "levelled to -16 LUFS": levelled,
    "0.7 s cut off": lambda a: a.cut(0.7, a.duration),
    "noise, 30 dB below": lambda a: noisy(a, 30),
    "OGG Vorbis": through_vorbis,
    "OGG Opus, as here": lambda a: decode(encode(a, "ogg", {}), a.rate),
    "0.5 % faster": lambda a: faster(a, 0.005),
}
BEYOND: Mapping[str, Attack] = {
    "MP3, 32 kbit/s": lambda a: through_mp3(a, 32),
    "noise, 20 dB below": lambda a: noisy(a, 20),
    "cut, 8 kHz, noise, MP3": lambda a: through_mp3(noisy(through(a.cut(0.7, a.duration), 8_000), 30), 64),
    "a room with echo": in_a_room,
    "10 % faster, pitch kept": lambda a: Audio(stretched(a.samples, a.rate, 1.1), a.rate),
}


@dataclass(frozen=True)
class Look:
    """The scores of one piece after one attack, with the watermark and without."""

    attack: str
    marked: float
    unmarked: float


def sentences(language: str) -> list[str]:
    """What is read, from the end-of-turn test set: all that is whole sentences."""
    glue = " " if language == "en" else ""
    lines = [
        line
        for (kind, said_in), text in SAID.items()
        if said_in == language
        for line in text.split("\n")
        if kind in ("finished", "paused", "afterthought") and line.strip()
    ]
    return [glue.join(part.strip() for part in line.split("|")) for line in lines]


def reading(synthesizer: Synthesizer, texts: Iterable[str], voice_id: str, language: str) -> Audio:
    """``texts`` read aloud, one after the other."""
    synthesizer.load()
    voices = synthesizer.voices()
    voice = next((v for v in voices if v.id == voice_id), voices[0])
    chunks = [
        chunk.audio
        for text in texts
        for chunk in synthesizer.synthesize(SpeechRequest(text, voice, language=language, eager=False))
    ]
    return Audio(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].rate)


def readings(synthesizer: Synthesizer, folder: Path) -> Iterator[tuple[str, Audio]]:
    """All sentences of both languages, shared out among the voices, with the text read; kept in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for language, voices in VOICES.items():
        for number, voice in enumerate(voices):
            path = folder / f"{voice}.flac"
            texts = sentences(language)[number :: len(voices)]
            if not path.exists():
                path.write_bytes(encode(reading(synthesizer, texts, voice, language), "flac", {"voice": voice}))
            yield "".join(texts), decode(path, 24_000)


def pieces(tracks: list[Audio], count: int, longest: float = LONGEST) -> Iterator[Audio]:
    """``count`` pieces of the tracks in turn, from the shortest to the longest, begun anywhere; the same every time."""
    rng = np.random.default_rng(5)
    for number, seconds in enumerate(np.geomspace(SHORTEST, longest, count)):
        track = tracks[number % len(tracks)]
        start = rng.uniform(0, track.duration - seconds)
        yield track.cut(start, start + seconds)


def looks(piece: Audio, attacks: Mapping[str, Attack]) -> Iterator[Look]:
    """What detection says after each attack."""
    marked = watermark(piece)
    for name, attack in attacks.items():
        yield Look(name, detect(attack(marked)).score, detect(attack(piece)).score)


def sound_files(folder: Path) -> list[Path]:
    """The sound files in ``folder`` and the folders in it."""
    return sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".mp3", ".flac", ".ogg"))


def ratio_db(sound: Audio, changed: Audio) -> float:
    """How much stronger the sound is than what was changed in it, in dB."""
    change = changed.samples[: len(sound.samples)] - sound.samples[: len(changed.samples)]
    return 10 * math.log10(float((sound.samples**2).sum()) / float((change**2).sum()))


def by_chance(score: float) -> float:
    """About how likely a file of up to eight seconds without a watermark is to reach ``score``: matches are noise."""
    looked_at = PERIOD * (len(SPEEDS) + 2)
    return -math.expm1(-looked_at * math.erfc(score / math.sqrt(2)))


def speeds(sounds: list[Audio]) -> tuple[float, float]:
    """Seconds of sound marked, and looked through in vain, in a second of this thread's processor time."""
    seconds = sum(sound.duration for sound in sounds)
    spent = []
    for work in (watermark, detect):
        start = time.thread_time()
        for sound in sounds:
            work(sound)
        spent.append(seconds / (time.thread_time() - start))
    return spent[0], spent[1]


def misheard(recognizer: Recognizer, tracks: Iterable[tuple[str, Audio]], change: Attack) -> float:
    """The share of letters that the recognizer gets wrong after ``change``."""
    from jiwer import cer

    said, heard = [], []
    for text, track in tracks:
        request = RecognitionRequest(resample(change(track), 16_000), words=False)
        said.append(letters(text))
        heard.append(letters("".join(segment.text for segment in recognizer.transcribe(request))))
    return float(cer(said, heard))


def letters(text: str) -> str:
    """``text`` without what cannot be heard."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def table(found: list[Look]) -> Table:
    """A line for each attack."""
    out = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("after", "marked: found", "lowest score", "median", "unmarked: found", "highest score"):
        out.add_column(column, justify="left" if column == "after" else "right")
    for name in (*ATTACKS, *BEYOND):
        marked = [look.marked for look in found if look.attack == name]
        unmarked = [look.unmarked for look in found if look.attack == name]
        cells = (
            f"{sum(score >= THRESHOLD for score in marked)} of {len(marked)}",
            f"{min(marked):.1f}",
            f"{median(marked):.1f}",
            f"{sum(score >= THRESHOLD for score in unmarked)} of {len(unmarked)}",
            f"{max(unmarked):.1f}",
        )
        out.add_row(name, *cells, end_section=name == list(ATTACKS)[-1])
    return out


def summary(found: list[Look]) -> dict[str, float]:
    """The JSON object's part about what is found."""
    promised = [look for look in found if look.attack in ATTACKS]
    return {
        "found": min(sum(k.marked >= THRESHOLD for k in promised if k.attack == name) for name in ATTACKS),
        "false_alarms": sum(look.unmarked >= THRESHOLD for look in found),
        "highest_unmarked": round(max(look.unmarked for look in found), 2),
        "lowest_marked": round(min(look.marked for look in promised), 2),
    }


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.watermark", description=__doc__.split("\n")[0])
    parser.add_argument("--pieces", type=int, default=100, help="how many pieces of speech (default 100)")
    parser.add_argument("--recordings", type=Path, help="folder with sound that nobody marked, which is looked at, too")
    asked = parser.parse_args()
    settings = Settings(profile="embedded", recognizer="whisper", synthesizer="kokoro")
    engines = Engines(settings, ModelStore(settings.models_dir))
    tracks = list(readings(engines.synthesizer, CACHE))
    sounds = list(pieces([audio for _, audio in tracks], asked.pieces))
    found = [look for sound in sounds for look in looks(sound, {**ATTACKS, **BEYOND})]
    Console(width=120).print(table(found))
    ratios = [ratio_db(sound, watermark(sound)) for sound in sounds]
    coded = [ratio_db(sound, through_mp3(sound, 64)) for sound in sounds]
    unmarked = [look.unmarked for look in found]
    print(f"signal to watermark {median(ratios):.1f} dB; to what MP3 at 64 kbit/s changes {median(coded):.1f} dB")
    for score in (5.0, 5.25, 5.5):
        share = sum(u >= score for u in unmarked) / len(unmarked)
        print(f"unmarked, score of {score} or more: {share:.3f}; by chance about {by_chance(score):.3f}")
    print(f"score of {THRESHOLD} or more by chance: about {by_chance(THRESHOLD):.1e}")
    if asked.recordings:
        others = [detect(decode(path, 24_000)).score for path in sound_files(asked.recordings)]
        print(f"{len(others)} other recordings: {sum(o >= THRESHOLD for o in others)} found, highest {max(others):.2f}")
    mark_speed, detect_speed = speeds(sounds)
    measured = {
        **summary(found),
        "swr_db": round(median(ratios), 1),
        "swr_db_least": round(min(ratios), 1),
        "mark_speed": round(mark_speed),
        "detect_speed": round(detect_speed),
        "misheard": round(misheard(engines.recognizer, tracks, watermark), 4),
        "misheard_plain": round(misheard(engines.recognizer, tracks, ATTACKS["nothing"]), 4),
    }
    print(json.dumps(measured))
    engines.close()


if __name__ == "__main__":
    main()
