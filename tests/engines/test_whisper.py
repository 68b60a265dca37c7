"""The embedded recognizer on synthesised speech: its words, times, languages, and what it must not invent."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from bench.understand import edits, units
from tests.engines.spoken import EN, RATE, ZH, join, say, silence
from webui.audio.convert import resample
from webui.config import Settings
from webui.engines.protocols import RecognitionRequest
from webui.engines.store import ModelStore
from webui.engines.whisper import WhisperRecognizer
from webui.engines.whisper_decoding import is_loop, weigh
from webui.errors import AudioError, EngineError
from webui.types import Audio, Emotion, Event, Segment, Transcript

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def recognizer() -> Iterator[WhisperRecognizer]:
    settings = Settings()
    engine = WhisperRecognizer(ModelStore(settings.models_dir), settings)
    assert not engine.info.loaded
    engine.load()
    assert engine.info.loaded
    yield engine
    engine.close()


def hear(recognizer: WhisperRecognizer, audio: Audio, **options: object) -> list[Segment]:
    return list(recognizer.transcribe(RecognitionRequest(audio, **options)))  # type: ignore[arg-type]


def errors(text: str, spoken: str, language: str) -> float:
    reference = units(spoken, language)
    return edits(reference, units(text, language)) / len(reference)


@pytest.mark.parametrize(("text", "language", "most"), [(EN, "en", 0.10), (ZH, "zh", 0.15)])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_clean_speech_is_understood(
    recognizer: WhisperRecognizer, text: str, language: str, most: float, rate: int
) -> None:
    audio = resample(join(silence(0.5), say(text, language), silence(0.5)), rate)
    (segment,) = hear(recognizer, audio)
    assert segment.language == language
    assert errors(segment.text, text, language) <= most
    assert 0.3 < segment.confidence <= 1.0
    assert isinstance(segment.emotion, Emotion)
    assert 0.0 <= segment.start < 0.8 and segment.end <= audio.duration
    assert {e.event for e in segment.events} == {Event.SPEECH}


@pytest.mark.parametrize(("text", "language"), [(EN, "en"), (ZH, "zh")])
def test_words_spell_the_text_and_lie_in_their_segment(recognizer: WhisperRecognizer, text: str, language: str) -> None:
    (segment,) = hear(recognizer, join(silence(1.0), say(text, language), silence(1.0)))
    glue = "" if language == "zh" else " "
    assert glue.join(w.text for w in segment.words) == segment.text
    times = [segment.start, *(t for w in segment.words for t in (w.start, w.end)), segment.end]
    assert all(a <= b + 1e-6 for a, b in pairwise(times))
    assert len(segment.words) >= 6
    assert all(0 <= w.confidence <= 1 for w in segment.words)


def test_words_are_left_out_when_not_wanted(recognizer: WhisperRecognizer) -> None:
    (segment,) = hear(recognizer, join(say(EN, "en")), words=False)
    assert segment.text and segment.words == ()


def test_numbers_as_digits_or_as_words(recognizer: WhisperRecognizer) -> None:
    speech = join(say(EN, "en"))
    (digits,), (words,) = hear(recognizer, speech, itn=True), hear(recognizer, speech, itn=False)
    assert "20 minutes" in digits.text
    assert "twenty minutes" in words.text and not any(c.isdigit() for c in words.text)


@pytest.mark.parametrize("pause", [0.0, 1.5])
def test_each_language_has_its_own_segment(recognizer: WhisperRecognizer, pause: float) -> None:
    if not pause and not ModelStore(Settings().models_dir).present("kokoro-voices"):
        pytest.skip("one voice says both sentences here, and the border between them is not heard")
    audio = join(say(EN, "en"), silence(pause), say(ZH, "zh"))
    first, second = hear(recognizer, audio)
    assert (first.language, second.language) == ("en", "zh")
    assert errors(first.text, EN, "en") <= 0.1 and errors(second.text, ZH, "zh") <= 0.15
    assert first.end <= second.start + 1e-6


def test_a_stream_of_blocks_is_heard_like_the_whole(recognizer: WhisperRecognizer) -> None:
    audio = join(say(EN, "en"), silence(1.5), say(ZH, "zh"), silence(1.0))
    blocks = (Audio(audio.samples[i : i + 5000], RATE) for i in range(0, len(audio.samples), 5000))
    streamed = list(recognizer.transcribe(RecognitionRequest(blocks)))
    whole = hear(recognizer, audio)
    assert [(s.text, s.start, s.end, s.language) for s in streamed] == [
        (s.text, s.start, s.end, s.language) for s in whole
    ]


def test_a_segment_comes_before_the_stream_has_ended_and_closing_stops_it(recognizer: WhisperRecognizer) -> None:
    taken = 0

    def endless() -> Iterator[Audio]:
        nonlocal taken
        while True:
            taken += 1
            yield join(say(EN, "en"), silence(1.5))

    segments = recognizer.transcribe(RecognitionRequest(endless()))
    assert next(segments).text
    segments.close()  # type: ignore[attr-defined]
    assert taken <= 3


@pytest.mark.parametrize("kind", ["zeros", "quiet", "noise", "hum", "clicks", "nan", "tiny"])
def test_nothing_is_invented_where_nobody_speaks(recognizer: WhisperRecognizer, kind: str) -> None:
    rng = np.random.default_rng(1)
    n = RATE * 8
    clicks = np.zeros(n, np.float32)
    clicks[::5000] = 0.8
    sounds = {
        "zeros": np.zeros(n, np.float32),
        "quiet": silence(8),
        "noise": (0.2 * rng.standard_normal(n)).astype(np.float32),
        "hum": (0.3 * np.sin(np.arange(n) * 2 * np.pi * 50 / RATE)).astype(np.float32),
        "clicks": clicks,
        "nan": np.full(n, np.nan, np.float32),
        "tiny": np.zeros(3, np.float32),
    }
    assert [s.text for s in hear(recognizer, Audio(sounds[kind], RATE)) if s.text] == []


def test_music_without_words_is_a_segment_of_its_own(recognizer: WhisperRecognizer) -> None:
    time = np.arange(RATE * 6) / RATE
    chord = sum(np.sin(2 * np.pi * f * time) for f in (261.6, 329.6, 392.0, 523.3)) * np.exp(-3 * (time % 0.5)) * 0.1
    segments = hear(recognizer, join(silence(1), chord.astype(np.float32), silence(2), say(EN, "en")))
    assert segments[0].language == "nospeech" and segments[0].text == ""
    assert {e.event for e in segments[0].events} == {Event.BGM}
    assert errors(Transcript(tuple(segments), 15).text, EN, "en") <= 0.1


def test_an_empty_recording_is_one_sentence(recognizer: WhisperRecognizer) -> None:
    for nothing in (Audio(np.zeros(0, np.float32), RATE), iter(())):
        with pytest.raises(AudioError) as caught:
            list(recognizer.transcribe(RecognitionRequest(nothing)))
        assert caught.value.key == "empty"


@pytest.mark.parametrize("language", ["yue", "xx", "", "en; drop", "l" * 9999])
def test_a_language_it_does_not_know_is_one_sentence(recognizer: WhisperRecognizer, language: str) -> None:
    with pytest.raises(EngineError) as caught:
        hear(recognizer, join(say(EN, "en")), language=language)
    assert len(caught.value.message) < 200


def test_a_language_that_is_given_is_taken(recognizer: WhisperRecognizer) -> None:
    (segment,) = hear(recognizer, join(say(ZH, "zh")), language="zh")
    assert segment.language == "zh" and errors(segment.text, ZH, "zh") <= 0.15


def test_two_sessions_at_once_hear_their_own(recognizer: WhisperRecognizer) -> None:
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(hear, recognizer, join(say(t, code))) for t, code in ((EN, "en"), (ZH, "zh")) for _ in "ab"]
        heard = [(segment.language, segment.text) for job in jobs for segment in job.result()]
    assert [language for language, _ in heard] == ["en", "en", "zh", "zh"]
    assert heard[0] == heard[1] and heard[2] == heard[3]


def test_closed_in_the_middle_of_a_request_it_finishes_and_loads_again(recognizer: WhisperRecognizer) -> None:
    segments = recognizer.transcribe(RecognitionRequest(join(say(EN, "en"), silence(1.5), say(ZH, "zh"))))
    first = next(segments)
    recognizer.close()
    assert not recognizer.info.loaded
    (second,) = segments
    assert (first.language, second.language) == ("en", "zh")
    assert hear(recognizer, join(say(EN, "en")))[0].text == first.text


def test_a_loop_is_told_from_speech() -> None:
    assert is_loop("我想问我在滨海新区有房我想问我在滨海新区有房")
    assert is_loop("Thank you. Thank you. Thank you.")
    assert is_loop("la " * 40)
    for text in (EN, ZH, "", "No, no.", "Some call me nature, others call me Mother Nature."):
        assert not is_loop(text)


def test_a_sure_language_beats_the_history_and_an_unsure_one_joins_it() -> None:
    spoken = {"zh": 60.0}
    sure = weigh({"zh": 0.01, "en": 0.99}, spoken)
    unsure = weigh({"zh": 0.35, "en": 0.65}, spoken)
    assert sure["en"] > sure["zh"] and unsure["zh"] > unsure["en"]
    assert sum(sure.values()) == pytest.approx(1.0)
    assert weigh({"zh": 0.4, "en": 0.6}, {}) == {"zh": 0.4, "en": 0.6}
