"""The measures of ``bench.understand``, on transcripts written by hand."""

from pathlib import Path

import pytest

from bench.understand import Clip, Heard, edits, measure, read_manifest, summary, units
from webui.types import Emotion, Event, EventSpan, Segment, Transcript


def heard(clip: Clip, text: str = "", language: str = "en", seconds: float = 60.0, **more: object) -> Heard:
    return Heard(clip, Transcript((Segment(0, seconds, text, language, **more),), seconds), 6.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "Don't PAY $12.50, Mr. Ｓmith!", "dont pay twelve point five dollars, mr smith"),
        ("zh", "絕對正義，所以２０２６年。", "绝对正义所以二零二六年"),
        ("zh", "我有 iPhone 手机", "我有iphone手机"),
        ("ja", "「えっ！？」", "えっ"),
        ("en", "at 3 o'clock", "At three oclock."),
    ],
)
def test_what_sounds_the_same_counts_the_same(language: str, one: str, other: str) -> None:
    assert units(one, language) == units(other, language) != []


def test_a_foreign_word_in_chinese_is_one_unit() -> None:
    assert units("他用iPhone", "zh") == ["他", "用", "iphone"]


def test_edits() -> None:
    assert edits("a b c".split(), "a x c d".split()) == 2
    assert edits([], ["a"]) == 1
    assert edits(["a", "b"], []) == 2
    assert edits(["a"], ["a"]) == 0


def test_rates_are_over_all_clips_together() -> None:
    clips = [
        heard(Clip(Path("a"), "en", "one two three four"), "one two three"),
        heard(Clip(Path("b"), "en", "yes"), "no"),
        heard(Clip(Path("c"), "zh", "今天很好"), "今天你好", "zh"),
        heard(Clip(Path("d")), "whatever"),
    ]
    result = summary(measure(clips), 4, 24.0, 240.0)
    assert (result["clips"], result["wer"], result["cer"], result["rtf"]) == (4, 0.4, 0.25, 0.1)
    assert result["emotion_uar"] is None and result["event_f1"] is None and result["event_false"] is None


def test_emotion_recall_is_over_classes_and_coverage_over_clips() -> None:
    happy, sad = Clip(Path("h"), emotion=Emotion.HAPPY), Clip(Path("s"), emotion=Emotion.SAD)
    told = [(happy, Emotion.HAPPY)] * 3 + [(happy, Emotion.SAD), (happy, Emotion.EMO_UNKNOWN), (sad, Emotion.ANGRY)]
    result = summary(measure([heard(c, "x", emotion=e, emotion_confidence=1.0) for c, e in told]), 6, 1, 1)
    assert result["emotion_uar"] == pytest.approx((0.75 + 0) / 2)
    assert result["emotion_coverage"] == pytest.approx(5 / 6, abs=1e-4)


def test_events_are_counted_by_clip_and_false_ones_by_hour() -> None:
    def spans(*events: Event) -> tuple[EventSpan, ...]:
        return tuple(EventSpan(e, 1.0 + i, 1.5 + i) for i, e in enumerate(events))

    clips = [
        heard(Clip(Path("a"), events=frozenset({Event.CRY})), events=spans(Event.CRY, Event.CRY, Event.SPEECH)),
        heard(Clip(Path("b"), events=frozenset({Event.COUGH})), events=spans(Event.SNEEZE)),
        heard(Clip(Path("c"), events=frozenset()), "hello", events=spans(Event.SPEECH)),
        heard(Clip(Path("d")), events=spans(Event.BGM)),
    ]
    result = summary(measure(clips), 4, 1, 1)
    assert result["event_f1"] == pytest.approx(2 * 1 / (2 + 1 + 1))
    assert result["event_false"] == pytest.approx(1 / (3 / 60))


def test_a_manifest_with_every_column_or_few(tmp_path: Path) -> None:
    table = tmp_path / "all.tsv"
    table.write_text(
        "file\tlanguage\ttranscript\temotion\tevent\n"
        'a.wav\ten\t"Hi," he said. [by hand]\thappy\tLaughter; cough\n'
        "b.wav\t\tunknown\tBOREDOM\tdog bark\n"
        "c.wav\tzh\t\t\t\n",
        encoding="utf-8",
    )
    a, b, c = read_manifest(table)
    assert a == Clip(
        tmp_path / "a.wav", "en", '"Hi," he said.', Emotion.HAPPY, frozenset({Event.LAUGHTER, Event.COUGH})
    )
    assert b == Clip(tmp_path / "b.wav", events=frozenset())
    assert c == Clip(tmp_path / "c.wav", "zh")
    commas = tmp_path / "few.csv"
    commas.write_text("file,emotion\nx.flac,SAD\n", encoding="utf-8")
    assert read_manifest(commas) == [Clip(tmp_path / "x.flac", emotion=Emotion.SAD)]
    commas.write_text("name\nx\n", encoding="utf-8")
    with pytest.raises(ValueError, match="column named file"):
        read_manifest(commas)
