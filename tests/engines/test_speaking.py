"""Texts spoken as takes by the real small engines: nothing is lost between parts, and a wrong word is heard."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from tests.engines.spoken import EN, RATE, ZH, a_voice, say
from tests.scripted import ScriptedEngines, ScriptedSynthesizer
from webui.audio.convert import resample, to_wav_bytes
from webui.config import ROOT, Settings
from webui.conversation.scope import TurnScope
from webui.engines.protocols import EngineInfo, RecognitionRequest, SpeechRequest
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.features.conversion import convert, recording, stretches
from webui.features.proof import listen
from webui.features.speak import Checked, Said, Script, plan, speak
from webui.types import Audio, SpeechChunk, Voice

pytestmark = pytest.mark.engine

MIXED = "He said 你好，我叫小明。 Then he left.\n\nNobody saw him again. [pause 0.5] Nobody at all."


@pytest.fixture(scope="module")
def engines() -> Generator[Engines, None, None]:
    built = Engines(Settings(_env_file=None, profile="embedded"), ModelStore(ROOT / "models"))  # type: ignore[call-arg]
    yield built
    built.close()


def script(engines: Engines, text: str, voice: str = "af_heart", proof: bool = False) -> Script:
    return Script(text, a_voice(engines.synthesizer, voice), proof=proof)


def sound(events: Sequence[object]) -> Audio:
    pieces = [event for event in events if isinstance(event, Said)]
    return Audio(np.concatenate([piece.audio.samples for piece in pieces]), pieces[0].audio.rate)


def test_a_mixed_text_is_said_whole_without_clicks(engines: Engines) -> None:
    it = script(engines, MIXED)
    parts = plan(it)
    events = list(speak(engines, it, parts))
    ends = np.cumsum([len(e.audio.samples) for e in events if isinstance(e, Said)])
    samples = sound(events).samples
    assert np.abs(samples).max() <= 1.0
    assert max(np.abs(np.diff(samples[max(0, end - 200) : end + 200])).max() for end in ends[:-1]) < 0.05
    heard = " ".join(s.text for s in engines.recognizer.transcribe(RecognitionRequest(sound(events), language="en")))
    assert "nobody saw him again" in heard.lower() and "nobody at all" in heard.lower()
    times = [(e.part, e.start + w.start) for e in events if isinstance(e, Said) for w in e.words]
    assert times == sorted(times) and len(times) > 12


def test_speech_that_goes_on_later_is_the_same_speech(engines: Engines) -> None:
    it = script(engines, MIXED)
    parts = plan(it)
    whole = list(speak(engines, it, parts))
    later = list(speak(engines, it, parts, start=2))
    assert (sound(later).samples == sound([e for e in whole if isinstance(e, Said) and e.part >= 2]).samples).all()


@pytest.mark.parametrize(("text", "voice"), [(EN, "af_heart"), (ZH, "zf_xiaobei")])
def test_what_was_said_right_is_heard_right(engines: Engines, text: str, voice: str) -> None:
    it = script(engines, text, voice, proof=True)
    checks = [e for e in speak(engines, it, plan(it)) if isinstance(e, Checked)]
    assert checks and all(check.wrong < 0.1 and check.tries == 1 for check in checks)


def test_a_dropped_and_a_repeated_word_are_heard(engines: Engines) -> None:
    spoken = Audio(say(EN, "en"), RATE)
    scope = TurnScope(0)
    assert listen(engines.recognizer, spoken, EN, "en", scope).good
    dropped = listen(
        engines.recognizer, spoken, EN.replace("platform nine", "the old platform number nine"), "en", scope
    )
    assert dropped.dropped >= 2 and not dropped.good
    twice = Audio(np.concatenate([spoken.samples, spoken.samples]), RATE)
    assert listen(engines.recognizer, twice, EN, "en", scope).repeated > 5


def test_an_engine_without_randomness_says_it_otherwise_and_the_best_is_kept(engines: Engines) -> None:
    """A reading that is not the word's own is heard wrong; each try then has another sound."""
    text = "Well, {read|Z UW1 K S}, {lead|G AA1 M B} and {house|V IH1 P S T}, said he."
    it = script(engines, text, proof=True)
    events = list(speak(engines, it, plan(it)))
    checks = [e for e in events if isinstance(e, Checked)]
    assert [check.tries for check in checks] == [3] * len(checks) and max(check.wrong for check in checks) > 0.1
    assert sum(e.last for e in events if isinstance(e, Said)) == len(checks)


@dataclass
class Mirror(ScriptedSynthesizer):
    """Gives back what it is to convert."""

    sources: list[Audio] = field(default_factory=list)

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("Mirror", ("en",), {"convert": True}, "CPU", "", True)

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        raise AssertionError("nothing is to be read")

    def convert(self, source: Audio, voice: Voice) -> Iterator[SpeechChunk]:
        self.sources.append(source)
        yield SpeechChunk(source, "")


def test_a_recording_is_converted_stretch_by_stretch_in_its_time(tmp_path: Path) -> None:
    spoken, gap = say(EN, "en"), np.zeros(RATE, np.float32)
    path = tmp_path / "recording.wav"
    path.write_bytes(to_wav_bytes(Audio(np.concatenate([gap, spoken, gap, spoken]), RATE)))
    source = recording(path)
    parts, sounds = stretches(source)
    mirror = Mirror()
    engines = cast(Engines, ScriptedEngines(synthesizer=mirror))
    events = list(convert(engines, Voice("one", "One", ("en",)), parts, sounds, 0, TurnScope(0)))
    assert len(parts) == len(mirror.sources) == 2
    out = resample(sound(events), RATE).samples
    n = min(len(out), len(gap) * 2 + len(spoken) * 2)
    before = np.concatenate([gap, spoken, gap, spoken])[:n]
    assert np.corrcoef(before, out[:n])[0, 1] > 0.9
