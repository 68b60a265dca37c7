"""Understanding a recording, through the feature that the page uses, with a recognizer that keeps its own pace."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.paced import SENTENCES, PacedRecognizer
from tests.waiting import wait_until
from webui.errors import AudioError, UserError
from webui.features.understand import (
    MAX_PEAKS,
    Done,
    Options,
    PeakMeter,
    Problem,
    Progress,
    Update,
    Waveform,
    understand,
)
from webui.types import Segment

RATE = 16_000


def voice(seconds: float, rate: int = RATE) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * 180 * t) * np.abs(np.sin(2 * np.pi * 2 * t))).astype(np.float32)


def recording(folder: Path, seconds: float, name: str = "talk.wav", **kwargs: Any) -> Path:
    soundfile.write(folder / name, voice(seconds), RATE, **kwargs)
    return folder / name


def of(kind: type, updates: list[Update]) -> list[Any]:
    return [update for update in updates if isinstance(update, kind)]


def test_waveform_then_segments_then_done(tmp_path: Path) -> None:
    recognizer = PacedRecognizer()
    updates = list(understand(recognizer, recording(tmp_path, 25), Options("en", itn=False)))

    wave = of(Waveform, updates)[-1]
    assert wave.complete and wave.duration == pytest.approx(25, abs=0.01)
    assert len(wave.peaks) * wave.step == pytest.approx(25, abs=wave.step)
    assert wave.peaks.dtype == np.uint8 and abs(int(wave.peaks.max()) - 127) < 4
    assert [s.text for s in of(Segment, updates)] == [sentence[0] for sentence in SENTENCES[:3]]
    assert updates.index(wave) < updates.index(of(Segment, updates)[0])
    done = updates[-1]
    assert isinstance(done, Done) and done.transcript.segments == tuple(of(Segment, updates)) and done.speed > 0
    assert (recognizer.requests[0].language, recognizer.requests[0].itn) == ("en", False)


def test_the_recognizer_hears_every_sample_once(tmp_path: Path) -> None:
    recognizer = PacedRecognizer()
    list(understand(recognizer, recording(tmp_path, 25, subtype="FLOAT")))
    heard = np.concatenate([block.samples for block in recognizer.heard])
    np.testing.assert_allclose(heard, voice(25), atol=1e-6)


def test_progress_tells_the_time_that_is_left(tmp_path: Path) -> None:
    updates = list(understand(PacedRecognizer(0.25), recording(tmp_path, 45)))
    told = [p for p in of(Progress, updates) if p.stage == "listening"]
    assert all(p.total == pytest.approx(45, abs=0.01) for p in told)
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert {round(p.done) for p in told} >= {0, 10, 20, 30, 40}
    assert all(p.left is not None and p.left > 0 for p in told if 0 < p.done < 44)
    assert [stage for stage in ("reading", "loading", "listening") if stage in {p.stage for p in of(Progress, updates)}]


def test_signs_of_life_come_while_the_model_works(tmp_path: Path) -> None:
    updates = list(understand(PacedRecognizer(0.9), recording(tmp_path, 5)))
    assert len([p for p in of(Progress, updates) if p.stage == "listening"]) >= 4


def test_closing_cancels_at_once_and_keeps_what_was_yielded(tmp_path: Path) -> None:
    recognizer = PacedRecognizer(0.3)
    updates = understand(recognizer, recording(tmp_path, 300))
    first = next(u for u in updates if isinstance(u, Segment))
    updates.close()
    assert not recognizer.ended, "closing must not wait for the model's step"
    assert first.text == SENTENCES[0][0]
    wait_until(lambda: recognizer.ended)
    assert recognizer.ended == ["stopped"] and len(recognizer.heard) <= 4


def test_a_listening_copy_holds_the_same_sound(tmp_path: Path) -> None:
    copy = tmp_path / "copy.flac"
    list(understand(PacedRecognizer(), recording(tmp_path, 12, "talk.aiff"), listening_copy=copy))
    samples, rate = soundfile.read(copy, dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(samples, voice(12), atol=1e-4)


def test_two_at_once_keep_apart(tmp_path: Path) -> None:
    recognizer = PacedRecognizer(0.05)
    lengths = {35.0: 4, 15.0: 2}
    counts: dict[float, int] = {}

    def hear(seconds: float) -> None:
        path = recording(tmp_path, seconds, f"{seconds}.wav")
        counts[seconds] = len(of(Segment, list(understand(recognizer, path))))

    threads = [threading.Thread(target=hear, args=(seconds,)) for seconds in lengths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == lengths


def test_an_engine_that_breaks_is_heard_of_after_what_it_gave(tmp_path: Path) -> None:
    updates: list[Update] = []
    with pytest.raises(RuntimeError, match="the engine broke"):
        updates.extend(understand(PacedRecognizer(fail_after=1), recording(tmp_path, 25)))
    updates = []
    with pytest.raises(RuntimeError):
        for update in understand(PacedRecognizer(fail_after=1), recording(tmp_path, 25)):
            updates.append(update)
    assert len(of(Segment, updates)) == 1


def bad(folder: Path, kind: str) -> Path | None:
    path = folder / f"{kind}.wav"
    if kind == "none":
        return None
    if kind == "gone":
        return path
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "header only":
        soundfile.write(path, np.zeros(0, np.float32), RATE)
    elif kind == "silent":
        soundfile.write(path, np.zeros(RATE * 3, np.float32), RATE)
    elif kind == "text":
        path.write_text("This is a letter, not a sound.\n" * 50)
    elif kind == "playlist":
        path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    elif kind == "flac bomb":
        path = folder / "bomb.flac"
        with soundfile.SoundFile(path, "w", 4000, 1, "PCM_16", format="FLAC") as file:
            for _ in range(13):
                file.write(np.zeros(4000 * 3600, np.int16))
    elif kind == "noise bytes":
        path.write_bytes(b"RIFF" + bytes(4) + b"WAVEfmt " + np.random.default_rng(1).bytes(4000))
    return path


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("none", "no_audio"),
        ("gone", "no_file"),
        ("empty", "empty"),
        ("header only", "empty"),
        ("silent", "silent"),
        ("text", "not_audio"),
        ("playlist", "not_audio"),
        ("flac bomb", "too_long"),
        ("noise bytes", "broken"),
    ],
)
def test_bad_input_is_one_clear_sentence(tmp_path: Path, kind: str, key: str) -> None:
    recognizer = PacedRecognizer()
    with pytest.raises(AudioError) as caught:
        list(understand(recognizer, bad(tmp_path, kind)))
    assert caught.value.key == key
    assert str(tmp_path) not in caught.value.message and caught.value.message.endswith(".")
    assert not recognizer.requests, "the model need not hear what cannot be heard"


def test_a_truncated_file_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    path = recording(tmp_path, 25)
    path.write_bytes(path.read_bytes()[: 12 * RATE * 2])
    updates = list(understand(PacedRecognizer(), path))
    assert [p.error.key for p in of(Problem, updates)] == ["cut_short"]
    assert len(of(Segment, updates)) == 2 and isinstance(updates[-1], Done)


@pytest.mark.parametrize("name", ["$(reboot).wav", "a'b\"c<script>.wav", "‮gpj.wav", "-rf.wav", "名前 ☃.wav"])
def test_hostile_file_names_are_only_names(tmp_path: Path, name: str) -> None:
    updates = list(understand(PacedRecognizer(), recording(tmp_path, 5, name)))
    assert isinstance(updates[-1], Done)


def test_peaks_stay_few_and_true_over_hours() -> None:
    meter = PeakMeter(RATE)
    minute = np.full(RATE * 60, 0.1, np.float32)
    for i in range(240):
        block = minute.copy()
        if i == 123:
            block[500] = -0.9
        meter.add(block)
    wave = meter.waveform(240 * 60.0, complete=True)
    assert MAX_PEAKS // 2 <= len(wave.peaks) <= MAX_PEAKS
    assert len(wave.peaks) * wave.step == pytest.approx(240 * 60, abs=wave.step)
    loudest = int(wave.peaks.argmax())
    assert (
        wave.peaks[loudest] == round(0.9 * 255)
        and loudest * wave.step <= 123 * 60 + 500 / RATE < (loudest + 1) * wave.step
    )
    assert set(np.delete(wave.peaks, loudest)) == {round(0.1 * 255)}


def test_peaks_do_not_depend_on_how_the_sound_was_cut() -> None:
    sound = np.random.default_rng(3).uniform(-1, 1, RATE * 400).astype(np.float32)
    whole, pieces = PeakMeter(RATE), PeakMeter(RATE)
    whole.add(sound)
    for start in range(0, len(sound), 77_777):
        pieces.add(sound[start : start + 77_777])
    one, other = (meter.waveform(400.0, complete=True) for meter in (whole, pieces))
    assert one.step == other.step
    np.testing.assert_array_equal(one.peaks, other.peaks)


def test_every_sentence_is_in_both_languages() -> None:
    from webui.ui.labels import table

    keys = ["no_audio", "no_file", "empty", "silent", "broken", "not_audio", "no_sound_track", "cut_short"]
    keys += ["too_long", "too_large", "too_slow", "bad_rate", "language_unknown", "error_unknown"]
    for language, words in table().items():
        assert [key for key in keys if key not in words] == [], language
    assert issubclass(AudioError, UserError)
