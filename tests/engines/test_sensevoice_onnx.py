"""SenseVoice through sherpa-onnx, on the tiny checkpoint's own export."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.engines.spoken import EN, RATE, ZH, join, say, silence
from tests.engines.tiny_sensevoice import TinySenseVoice, alike, exported
from webui.audio.convert import resample
from webui.config import Settings
from webui.engines.listening import Stretch
from webui.engines.protocols import RecognitionRequest
from webui.engines.sensevoice_export import EXPORTED
from webui.engines.sensevoice_onnx import SherpaSenseVoice
from webui.engines.sensevoice_segments import tell
from webui.engines.store import ModelStore
from webui.errors import AudioError, EngineError, ModelError
from webui.types import Audio, Emotion, Event, Segment

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def recognizer(tiny_sensevoice: TinySenseVoice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SherpaSenseVoice]:
    models = tmp_path_factory.mktemp("models")
    (models / EXPORTED).symlink_to(exported(tiny_sensevoice))
    engine = SherpaSenseVoice(ModelStore(models), Settings(threads=1))
    assert not engine.info.loaded
    engine.load()
    assert engine.info.loaded
    yield engine
    engine.close()
    assert not engine.info.loaded


def hear(recognizer: SherpaSenseVoice, audio: Audio, **options: object) -> list[Segment]:
    return list(recognizer.transcribe(RecognitionRequest(audio, **options)))  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_memorised_utterance_comes_back_word_for_word(recognizer: SherpaSenseVoice, rate: int) -> None:
    audio = resample(Audio(say(EN, "en"), RATE), rate)
    (segment,) = hear(recognizer, audio)
    assert (segment.text, segment.language, segment.emotion) == (EN, "en", Emotion.NEUTRAL)
    assert [(e.event, e.start, e.end) for e in segment.events] == [(Event.SPEECH, 0.0, segment.end)]
    assert segment.end == pytest.approx(audio.duration, abs=0.01)
    assert [w.text for w in segment.words] == EN.split()
    assert [w.start for w in segment.words] == sorted(w.start for w in segment.words)
    assert all(0 <= w.start < w.end <= segment.end for w in segment.words)
    assert (segment.arousal, segment.voice) == (None, ())


def test_chinese_characters_are_words_and_punctuation_is_none(recognizer: SherpaSenseVoice) -> None:
    (segment,) = hear(recognizer, Audio(say(ZH, "zh"), RATE))
    assert segment.text == ZH
    assert [w.text for w in segment.words] == [*ZH[:-2], ZH[-2:]]


def test_without_itn_there_is_no_punctuation_and_the_next_request_has_it_again(recognizer: SherpaSenseVoice) -> None:
    audio = Audio(say(EN, "en"), RATE)
    texts = [hear(recognizer, audio, itn=itn, words=False)[0].text for itn in (True, False, True)]
    assert texts == [EN, EN.lower().replace(".", ""), EN]


def test_a_language_can_be_asked_for(recognizer: SherpaSenseVoice, tiny_sensevoice: TinySenseVoice) -> None:
    assert hear(recognizer, Audio(say(ZH, "zh"), RATE), language="zh")[0].text == ZH
    with pytest.raises(EngineError) as error:
        hear(recognizer, Audio(say(ZH, "zh"), RATE), language="de")
    assert error.value.key == "language_unknown"


def test_all_thirty_clips_with_their_tags(recognizer: SherpaSenseVoice, tiny_sensevoice: TinySenseVoice) -> None:
    for clip in tiny_sensevoice.clips:
        heard = recognizer.hear(Stretch(0.0, Audio(clip.samples, RATE), None)).tagged
        emotion, events = Emotion(clip.emotion), (Event(clip.event),)
        assert (heard.language, heard.emotion, heard.events, heard.text) == (clip.language, emotion, events, clip.text)


def test_sounds_without_words_are_told_and_what_is_nothing_is_not(
    recognizer: SherpaSenseVoice, tiny_sensevoice: TinySenseVoice
) -> None:
    applause, music, nothing = (hear(recognizer, Audio(clip.samples, RATE)) for clip in tiny_sensevoice.clips[-3:])
    assert [(s.text, s.language, s.emotion) for s in (*applause, *music)] == [("", "nospeech", Emotion.EMO_UNKNOWN)] * 2
    assert [s.events[0].event for s in (*applause, *music)] == [Event.APPLAUSE, Event.BGM]
    assert nothing == []


def test_silence_and_fragments_are_nothing_and_an_empty_recording_says_so(recognizer: SherpaSenseVoice) -> None:
    assert hear(recognizer, Audio(silence(3.0), RATE)) == []
    assert hear(recognizer, Audio(np.zeros(RATE, np.float32), RATE)) == []
    assert hear(recognizer, Audio(say(EN, "en")[8000:8300], RATE)) == []
    with pytest.raises(AudioError):
        hear(recognizer, Audio(np.zeros(0, np.float32), RATE))


def test_a_lone_word_is_believed_of_a_voice_only(recognizer: SherpaSenseVoice, tiny_sensevoice: TinySenseVoice) -> None:
    the = next(clip for clip in tiny_sensevoice.clips if clip.text == "The.")
    heard = recognizer.hear(Stretch(0.0, Audio(the.samples, RATE), None))
    hiss = Audio(0.1 * np.random.default_rng(1).standard_normal(2 * RATE).astype(np.float32), RATE)
    voice = Audio(say(EN, "en"), RATE)
    for audio, speech, text in ((hiss, None, ""), (voice, None, "The."), (voice, False, ""), (hiss, True, "The.")):
        told = tell(heard, Stretch(0.0, audio, speech), words=True)
        assert told is not None and told.text == text
        assert [e.event for e in told.events] == [Event.SING]


def test_a_long_recording_is_cut_in_its_pauses(recognizer: SherpaSenseVoice) -> None:
    parts = [say(EN, "en"), silence(13.0), say(ZH, "zh"), silence(13.0), say(EN, "en")]
    found = hear(recognizer, join(*parts))
    assert [s.language for s in found] == ["en", "zh", "en"]
    assert all(alike(s.text, text) for s, text in zip(found, (EN, ZH, EN), strict=True))
    begin = sum(len(p) for p in parts[:2]) / RATE
    assert found[1].start == pytest.approx(begin, abs=0.4)
    assert all(found[1].start <= w.start <= w.end <= found[1].end for w in found[1].words)


def test_half_an_hour_takes_no_more_memory_than_minutes(recognizer: SherpaSenseVoice) -> None:
    minute = Audio(join(say(EN, "en"), silence(60.0 - len(say(EN, "en")) / RATE)).samples, RATE)
    process = psutil.Process()
    list(recognizer.transcribe(RecognitionRequest(minute for _ in range(2))))
    gc.collect()
    before = process.memory_info().rss
    count, most = 0, 0
    for segment in recognizer.transcribe(RecognitionRequest(minute for _ in range(30))):
        count += alike(segment.text, EN)
        most = max(most, process.memory_info().rss)
    assert count == 30
    assert most - before < 60 << 20  # its samples alone are 115 MB


@pytest.mark.parametrize("spoil", ["garbage", "truncated", "no tokens"])
def test_a_broken_model_is_an_error_and_not_the_end_of_the_process(
    spoil: str, tiny_sensevoice: TinySenseVoice, tmp_path: Path
) -> None:
    whole = exported(tiny_sensevoice)
    folder = tmp_path / EXPORTED
    folder.mkdir()
    model = (whole / "model.int8.onnx").read_bytes()
    (folder / "model.int8.onnx").write_bytes({"garbage": b"no model", "truncated": model[:-9000]}.get(spoil, model))
    if spoil != "no tokens":
        (folder / "tokens.txt").write_bytes((whole / "tokens.txt").read_bytes())
    with pytest.raises(ModelError) as error:
        SherpaSenseVoice(ModelStore(tmp_path), Settings()).load()
    assert error.value.key == "model_broken"
