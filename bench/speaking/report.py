"""What was found, in tables, and in one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean

from rich.console import Console
from rich.table import Table

from bench.speaking.contest import KOKORO, OURS, Lap, ratios
from bench.speaking.intelligibility import Heard
from bench.speaking.scoring import rate
from bench.speaking.sentences import LANGUAGES, PLAIN
from bench.speaking.styles import Styled
from bench.speaking.timbre import Timbre


def show_heard(console: Console, engine: str, heard: Sequence[Heard]) -> None:
    """Error rates by kind of sentence, and all that came back wrong, with where that came from."""
    kinds: dict[tuple[str, str], list[Heard]] = defaultdict(list)
    for one in heard:
        kinds[one.sentence.language, one.sentence.kind].append(one)
    table = Table(title=f"{engine}: said, and recognised again (en by words, zh by syllables without tones)")
    for column in ("", "sentences", "right", "error rate", "if said as its reading", "dropped", "marks said"):
        table.add_column(column, justify="right" if column else "left")
    for language in LANGUAGES:
        for (code, kind), ones in kinds.items():
            if code == language:
                floor = " (the recognizer's floor)" if kind == PLAIN else ""
                table.add_row(f"{code}, {kind}{floor}", *_row(ones))
        table.add_row(f"{language}, all", *_row([one for one in heard if one.sentence.language == language]), style="b")
    console.print(table)
    for one in heard:
        if one.score.wrong or one.dropped or one.mark_said:
            console.print(line(one))


def line(one: Heard) -> str:
    """A sentence that came back wrong."""
    sentence = one.sentence
    named = f"{sentence.language} {sentence.number} [{sentence.kind}] {sentence.text}"
    if one.failure:
        return f"{named} -> {one.failure}"
    read_wrong = one.as_reading is not None and one.as_reading < one.score.wrong
    cause = "the reading of the text" if read_wrong else "the voice or the recognizer"
    if one.mark_said:
        cause = "a mark was said"
    wrong = f"{one.score.wrong} of {one.score.length}, {cause}; as its reading {one.as_reading}"
    return (
        f"{sentence.language} {sentence.number} [{sentence.kind}] {sentence.text} -> {one.text} ({wrong}; {one.voice})"
    )


def show_timbre(console: Console, timbre: Timbre) -> None:
    """The cosines, and the two ends of their scale."""
    table = Table(title="the same voice in the other language: cosine of voice prints")
    for column in ("", "across languages", "within its own"):
        table.add_column(column, justify="right" if column else "left")
    for name, cosine in timbre.across.items():
        table.add_row(name, f"{cosine:.3f}", f"{timbre.within[name]:.3f}")
    console.print(table)
    console.print("; ".join(f"{pair}: {cosine:.3f}" for pair, cosine in timbre.others.items()) + " (different voices)")


def show_styles(console: Console, styles: Sequence[Styled]) -> None:
    """Each style against neutral."""
    table = Table(title="styles: F0 as a share of neutral's, and error rates of the words")
    for column in ("", "height", "span", "voiced", "errors", "neutral's", ""):
        table.add_column(column, justify="right" if column else "left")
    for one in styles:
        figures = [f"{value:.2f}" for value in (one.height, one.span, one.voiced, one.errors, one.neutral_errors)]
        table.add_row(f"{one.voice}, {one.style}", *figures, one.failed or "ok")
    console.print(table)


def show_laps(console: Console, laps: Mapping[str, Lap]) -> None:
    """Speed, and ours over each other's."""
    table = Table(title="speed: medians, and ours over theirs text by text (below 1 is faster)")
    for column in ("", "real-time factor", "first sound", "ratio of factors", "ratio of first sounds"):
        table.add_column(column, justify="right" if column else "left")
    for name, lap in laps.items():
        if lap.missing:
            console.print(f"{name}: {lap.missing}")
            continue
        both = ("", "") if name == OURS else tuple(map(str, ratios(laps, name)))
        table.add_row(name, f"{lap.rtf:.3f}", f"{lap.first:.3f} s", *both)
    console.print(table)


def summary(
    heard: Sequence[Heard], timbre: Timbre, styles: Sequence[Styled], laps: Mapping[str, Lap]
) -> dict[str, float | int | None]:
    """The JSON object of the last line."""
    en, zh = (rate(one.score for one in heard if one.sentence.language == code) for code in LANGUAGES)
    rtf, first = ratios(laps, KOKORO)
    return {
        "en_wer": en,
        "zh_cer": zh,
        "cross_lingual_cosine": timbre.mean,
        "rtf": laps[OURS].rtf,
        "rtf_ratio_to_kokoro_onnx": rtf,
        "first_audio_ratio_to_kokoro_onnx": first,
        "style_checks_failed": sum(bool(one.failed) for one in styles),
    }


def _row(ones: Sequence[Heard]) -> tuple[str, ...]:
    best = [min(one.score.wrong, one.score.wrong if one.as_reading is None else one.as_reading) for one in ones]
    length = sum(one.score.length for one in ones)
    return (
        str(len(ones)),
        f"{mean(one.score.wrong == 0 for one in ones):.0%}" if ones else "–",
        f"{rate(one.score for one in ones):.2%}" if length else "–",
        f"{sum(best) / length:.2%}" if length else "–",
        str(sum(one.dropped for one in ones)),
        str(sum(one.mark_said for one in ones)),
    )
