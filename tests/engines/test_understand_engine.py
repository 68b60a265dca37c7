"""A recording of two languages, with the real embedded recognizer, through the feature that the page uses."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from tests.engines.spoken import EN, RATE, ZH, join, say, silence
from webui.audio.subtitles import to_srt
from webui.config import ROOT, Settings
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.features.understand import Done, Options, Update, Waveform, understand

pytestmark = pytest.mark.engine
SHARED = ROOT.parent / "shared" / "audio" / "speech"


@pytest.fixture(scope="module")
def engines() -> Engines:
    return Engines(Settings(_env_file=None), ModelStore(ROOT / "models"))  # type: ignore[call-arg]


def letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def heard(updates: list[Update]) -> Done:
    assert isinstance(updates[-1], Done)
    return updates[-1]


def test_two_languages_each_with_its_words_and_times(engines: Engines, tmp_path: Path) -> None:
    jiwer = pytest.importorskip("jiwer")
    english, chinese = say(EN, "en"), say(ZH, "zh")
    sound = join(silence(1.0), english, silence(3.0), chinese, silence(1.0))
    path = tmp_path / "two.ogg"
    soundfile.write(path, sound.samples, RATE)

    updates = list(understand(engines.recognizer, path))
    done = heard(updates)
    assert done.transcript.duration == pytest.approx(sound.duration, abs=0.1)
    assert [u.complete for u in updates if isinstance(u, Waveform)][-1]
    first, second = [s for s in done.transcript.segments if s.text]
    assert (first.language, second.language) == ("en", "zh")
    assert jiwer.cer(letters(EN), letters(first.text.replace("9", "nine").replace("20", "twenty"))) <= 0.1
    assert jiwer.cer(letters(ZH), letters(second.text)) <= 0.15
    assert first.start == pytest.approx(1.0, abs=0.5)
    assert second.start == pytest.approx(4.0 + len(english) / RATE, abs=0.5)
    for segment in (first, second):
        times = [time for word in segment.words for time in (word.start, word.end)]
        assert times == sorted(times) and segment.start - 0.3 <= times[0] and times[-1] <= segment.end + 0.3
    assert first.text.split()[0] in to_srt(done.transcript)


def test_digits_or_words_as_asked(engines: Engines, tmp_path: Path) -> None:
    path = tmp_path / "numbers.wav"
    soundfile.write(path, say(EN, "en"), RATE)
    digits = heard(list(understand(engines.recognizer, path, Options("en", itn=True)))).transcript.text
    words = heard(list(understand(engines.recognizer, path, Options("en", itn=False)))).transcript.text
    assert "20" in digits and "twenty" in words.lower()


def test_a_human_voice_in_an_mp3(engines: Engines) -> None:
    path = SHARED / "funasr_asr_example_zh.mp3"
    if not path.is_file():
        pytest.skip("the recordings of ../shared/audio are not here")
    done = heard(list(understand(engines.recognizer, path)))
    assert done.transcript.language == "zh" and len(done.transcript.text) > 5
    assert 0 < done.transcript.segments[0].confidence <= 1
