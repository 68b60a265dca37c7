"""Where somebody speaks, in files and in frames."""

from itertools import pairwise

import numpy as np
import pytest

from tests.engines.spoken import EN, RATE, ZH, join, say, silence
from webui.audio.vad import FRAME, Silero, SpeechDetector, VadOptions, find_speech
from webui.types import Audio

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def recording() -> Audio:
    return join(silence(1.0), say(EN, "en"), silence(1.5), say(ZH, "zh"), silence(1.0))


def test_two_sentences_are_two_stretches(recording: Audio) -> None:
    first, second = find_speech(recording)
    middle = 1.0 + len(say(EN, "en")) / RATE
    assert 0.7 < first.start < 1.4 and middle - 0.6 < first.end < middle + 0.5
    assert middle + 1.0 < second.start < middle + 1.9 and second.end < recording.duration
    assert np.array_equal(first.audio.samples, recording.cut(first.start, first.end).samples)
    assert min(first.confidence, second.confidence) > 0.8


@pytest.mark.parametrize("block", [FRAME, 480, 7001, 160_000])
def test_how_a_stream_is_cut_makes_no_difference(recording: Audio, block: int) -> None:
    detector = SpeechDetector()
    found = []
    for at in range(0, len(recording.samples), block):
        found += detector.feed(recording.samples[at : at + block])
    found += detector.finish()
    whole = find_speech(recording)
    assert [(s.start, s.end) for s in found] == [(s.start, s.end) for s in whole]


def test_frames_one_by_one_are_judged_as_all_at_once(recording: Audio) -> None:
    frames = recording.samples[: len(recording.samples) // FRAME * FRAME].reshape(-1, FRAME)
    live = Silero()
    one_by_one = np.concatenate([live.probabilities(frame[None]) for frame in frames])
    assert one_by_one == pytest.approx(Silero().probabilities(frames), abs=1e-4)
    assert one_by_one.max() > 0.9 and one_by_one[:20].max() < 0.1


def test_live_frames_tell_when_speech_begins_and_ends(recording: Audio) -> None:
    detector = SpeechDetector()
    speaking, ended = [], []
    for at in range(0, len(recording.samples) - FRAME, FRAME):
        ended += [at / RATE for _ in detector.feed(recording.samples[at : at + FRAME])]
        speaking.append(detector.speaking)
    changes = np.flatnonzero(np.diff(np.array(speaking, int))) * FRAME / RATE
    assert len(changes) == 4 and len(ended) == 2
    for said, spoken in zip(ended, find_speech(recording), strict=True):
        assert said - spoken.end < 0.6  # the pause that ends it, less the padding


def test_a_long_speech_is_cut_where_it_is_quiet_and_nothing_is_lost() -> None:
    speech = join(*[say(EN, "en")] * 4)
    detector = SpeechDetector(VadOptions(silence=5.0, longest=6.0))
    found = [*detector.feed(speech.samples), *detector.finish()]
    assert len(found) >= 3
    assert all(s.audio.duration <= 6.1 for s in found)
    for before, after in pairwise(found):
        assert after.start == pytest.approx(before.end, abs=1e-6)
        around = speech.cut(before.end - 0.03, before.end + 0.03).samples
        assert np.sqrt((around**2).mean()) < np.sqrt((speech.samples**2).mean())


@pytest.mark.parametrize("kind", ["zeros", "quiet", "noise", "tone", "clicks"])
def test_no_speech_where_there_is_none(kind: str) -> None:
    rng = np.random.default_rng(0)
    n = RATE * 5
    clicks = np.zeros(n, np.float32)
    clicks[::4000] = 0.9
    sounds = {
        "zeros": np.zeros(n, np.float32),
        "quiet": silence(5),
        "noise": (0.1 * rng.standard_normal(n)).astype(np.float32),
        "tone": (0.3 * np.sin(np.arange(n) * 2 * np.pi * 440 / RATE)).astype(np.float32),
        "clicks": clicks,
    }
    assert find_speech(Audio(sounds[kind], RATE)) == []


def test_memory_does_not_grow_with_the_stream() -> None:
    detector = SpeechDetector()
    for _ in range(30):
        assert not list(detector.feed(silence(10)))
    assert len(detector._kept) < RATE
