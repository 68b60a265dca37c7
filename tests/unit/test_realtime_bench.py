"""The parts of ``bench.realtime`` that can be known without running anything."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from bench.live.caller import Caller
from bench.live.marks import MARKS, NAMES, STORY, marked, marks_of
from bench.live.microphone import Microphone
from bench.live.player import LEAD_S, Player, Underrun
from bench.live.programs import NotRunning, answering, free_port, running
from bench.live.questions import floor, trimmed
from bench.live.report import Embedded, Taken, Talks, percentile, show, summary
from bench.live.scripted import ANSWER, Scripted, reply, transcript
from bench.live.soak import Soak, explained, figures, foreign, slope
from bench.live.voice import tones
from tests.waiting import finish
from webui.audio.convert import resample, to_wav_bytes
from webui.types import Audio


def speech(seconds: float, rate: int = 16_000) -> Audio:
    """Something like a voice: syllables of noise, full of what tones could be taken for."""
    times = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(1).normal(0, 0.1, len(times))
    return Audio((noise * (np.sin(2 * np.pi * 3 * times) > 0)).astype(np.float32), rate)


# -- the loudspeaker


def test_a_loudspeaker_that_is_fed_in_time_never_runs_dry() -> None:
    player = Player()
    for at in (10.0, 10.3, 10.9):
        player.take(at, "a", 0.5)
    assert player.underruns == []
    assert player.left(11.2) == pytest.approx(0.3 + LEAD_S)
    assert player.sounding(11.4)
    assert not player.sounding(11.6)


def test_a_gap_inside_a_response_is_an_underrun_and_one_between_responses_is_not() -> None:
    player = Player()
    player.take(1.0, "a", 0.5)
    player.take(2.0, "a", 0.5)
    player.take(5.0, "b", 0.5)
    (underrun,) = player.underruns
    assert underrun.at == pytest.approx(1.5 + LEAD_S)
    assert underrun.gap == pytest.approx(0.5 - LEAD_S)


def test_what_is_held_waits_and_goes_on_where_it_was() -> None:
    player = Player()
    player.take(1.0, "a", 1.0)
    player.hold(1.5)
    assert not player.sounding(1.6)
    player.take(3.0, "a", 1.0)
    assert player.left(4.0) == pytest.approx(1.5 + LEAD_S)
    player.resume(4.0)
    assert player.sounding(4.1)
    player.take(5.4, "a", 1.0)
    assert player.underruns == []


def test_a_hold_after_the_last_sound_is_no_underrun() -> None:
    player = Player()
    player.take(1.0, "a", 0.1)
    player.hold(1.05)
    player.resume(2.0)
    player.take(2.05, "a", 0.1)
    assert player.underruns == []


def test_what_is_stopped_is_thrown_away() -> None:
    player = Player()
    player.take(1.0, "a", 9.0)
    player.stop(2.0)
    assert player.left(2.0) == 0
    player.take(3.0, "b", 0.5)
    assert player.underruns == []


# -- the caller


def caller_after(*events: tuple[float, dict[str, Any]]) -> Caller:
    caller = Caller(None)
    for at, event in events:
        caller._take(event["type"], event, at)
    return caller


def sound(response: str, seconds: float = 1.0) -> dict[str, Any]:
    delta = "A" * (round(seconds * 48_000) // 3 * 4)
    return {"type": "response.output_audio.delta", "response_id": response, "delta": delta}


STARTED = {"type": "input_audio_buffer.speech_started"}
HOLD = {"type": "funaudio.hold", "response_id": "a"}
RESUME = {"type": "funaudio.resume", "response_id": "a"}
DONE = {"type": "response.done", "response": {"id": "a", "status": "cancelled"}}


def test_one_who_follows_the_hold_is_silent_before_one_who_does_not() -> None:
    caller = caller_after((1.0, sound("a", 9)), (2.0, HOLD), (2.5, STARTED))
    (cut,) = caller._cuts
    assert (cut.following, cut.plain) == (2.0, 2.5)


def test_a_hold_that_was_taken_back_does_not_count_as_silence() -> None:
    caller = caller_after((1.0, sound("a", 9)), (2.0, HOLD), (2.2, RESUME), (3.0, HOLD), (3.5, STARTED))
    assert [cut.following for cut in caller._cuts] == [3.0]


def test_speech_while_nothing_plays_cuts_nothing() -> None:
    assert caller_after((1.0, sound("a", 0.5)), (2.0, STARTED))._cuts == []


@pytest.mark.parametrize(
    "before", [(DONE,), (STARTED,), (HOLD,)], ids=["after its end", "after the interruption", "another's, on hold"]
)
def test_sound_that_ought_not_to_come_is_stale(before: tuple[dict[str, Any], ...]) -> None:
    late = sound("b" if before == (HOLD,) else "a")
    caller = caller_after((1.0, sound("a")), *((1.1, event) for event in before), (1.2, late))
    assert caller.stale == 1
    assert caller_after((1.0, sound("a")), (1.2, sound("a")), (1.3, DONE)).stale == 0


def test_the_microphone_says_when_the_first_and_the_last_frame_went_out() -> None:
    sent: list[bytes] = []

    async def send(frame: bytes) -> None:
        sent.append(frame)

    async def talk() -> tuple[float, float]:
        microphone = Microphone(24_000, send)
        microphone.open = True
        task = asyncio.create_task(microphone.run())
        said = await microphone.say(Audio(np.full(1600, 0.5, np.float32), 16_000))
        task.cancel()
        return said.began, said.ended

    began, ended = finish(talk())
    loud = [np.abs(np.frombuffer(frame, "<i2")).max() > 8000 for frame in sent]
    assert sum(loud) == 5
    assert {len(frame) for frame in sent} == {960}
    assert ended - began > 0


def test_a_microphone_whose_line_is_cut_says_so() -> None:
    async def send(_: bytes) -> None:
        raise ConnectionResetError

    async def talk() -> None:
        microphone = Microphone(24_000, send)
        microphone.open = True
        task = asyncio.create_task(microphone.run())
        for _ in range(2):  # while it breaks, and when it is broken
            with pytest.raises(ConnectionError, match="closed"):
                await microphone.say(Audio(np.full(1600, 0.5, np.float32), 16_000))
        with pytest.raises(ConnectionResetError):
            await task

    finish(talk())


# -- questions


def test_a_question_is_trimmed_to_its_voice() -> None:
    voice = np.concatenate([np.zeros(4000), np.full(8000, 0.3), np.full(3000, 0.0005)]).astype(np.float32)
    cut = trimmed(Audio(voice, 16_000))
    assert len(cut.samples) == 8000
    assert cut.samples.min() > 0.2


def test_the_floor_is_low_and_repeats() -> None:
    hiss = floor(16_000)
    assert 20 * np.log10(np.sqrt((hiss**2).mean())) == pytest.approx(-72, abs=0.2)
    assert np.array_equal(hiss, floor(16_000))


@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("seconds", [0.3, 3.0])
def test_a_mark_is_found_in_any_part_of_a_recording(name: str, seconds: float) -> None:
    sent = resample(resample(marked(speech(4), name), 24_000), 16_000)
    assert marks_of(sent.cut(0.5, 0.5 + seconds)) == [name]


def test_speech_and_silence_have_no_mark() -> None:
    assert marks_of(speech(3)) == []
    assert marks_of(Audio(floor(16_000), 16_000)) == []
    assert marks_of(marked(Audio(np.zeros(100, np.float32), 16_000), "Anna")) == []


# -- the scripted server


@pytest.fixture
def server() -> TestClient:
    return TestClient(Scripted().app())


def hear(server: TestClient, audio: Audio) -> str:
    files = {"file": ("q.wav", to_wav_bytes(audio), "audio/wav")}
    return str(server.post("/v1/audio/transcriptions", data={"model": "m"}, files=files).json()["text"])


def test_it_hears_who_speaks(server: TestClient) -> None:
    assert hear(server, marked(speech(1), "Carla")) == transcript(["Carla"])
    assert hear(server, marked(speech(1), "Carla", STORY)) == transcript([STORY, "Carla"])
    assert hear(server, speech(1)) == transcript([])
    assert len({transcript(marks) for marks in ([], [STORY], ["Carla"], ["Carla", STORY])}) == 4


def ask(server: TestClient, said: str, **more: Any) -> Any:
    body = {"model": "m", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": said}]}
    return server.post("/v1/chat/completions", json=body | more)


def test_it_answers_whole_or_word_by_word(server: TestClient) -> None:
    whole = ask(server, transcript([])).json()["choices"][0]
    assert whole == {
        "index": 0,
        "message": {"role": "assistant", "content": ANSWER.format("")},
        "finish_reason": "stop",
    }
    lines = ask(server, transcript([]), stream=True).text.strip().split("\n\n")
    assert lines[-1] == "data: [DONE]"
    deltas = [json.loads(line.removeprefix("data: "))["choices"][0]["delta"] for line in lines[:-1]]
    assert "".join(delta.get("content", "") for delta in deltas) == ANSWER.format("")
    cut = ask(server, transcript([]), max_tokens=1).json()["choices"][0]
    assert (cut["message"]["content"], cut["finish_reason"]) == ("The ", "length")


def test_it_names_everybody_in_the_conversation(server: TestClient) -> None:
    assert "Anna" in reply([{"role": "user", "content": transcript(["Anna"])}])
    mixed = [{"role": "user", "content": transcript(["Anna"])}, {"role": "user", "content": transcript(["Boris"])}]
    assert "Anna and Boris" in reply(mixed)
    story = [{"role": "user", "content": transcript([STORY, NAMES[3]])}]
    assert NAMES[3] in reply(story)
    assert len(reply(story).split()) > 100


def test_it_speaks_as_long_as_the_text_is(server: TestClient) -> None:
    def said(text: str, form: str = "pcm") -> Any:
        return server.post("/v1/audio/speech", json={"model": "m", "input": text, "response_format": form})

    short, long = (len(said(text).content) / 2 / 24_000 for text in ("Hello there.", ANSWER))
    assert 0.3 < short < 3 < long < 15
    assert said("Hello", "mp3").status_code == 400
    assert server.get("/v1/models").json()["data"][0]["id"] == "scripted"


def test_tones_are_heard_and_nothing_is_nothing() -> None:
    assert np.abs(tones("Hello there").samples).max() > 0.1
    assert len(tones("").samples) == 0


def test_a_program_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.live.programs.LOGS", tmp_path)
    command = [sys.executable, "-c", "print('no such weights'); raise SystemExit(3)"]
    with running("toy", command) as process, pytest.raises(NotRunning, match="toy ended with 3: no such weights"):
        finish(answering("toy", process, free_port()))


# -- the sums


def test_percentiles_lie_between_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile([0.0, 1.0], 95) == pytest.approx(0.95)
    assert percentile([], 50) is None


COMPARED = {
    "serial": Taken([1.2, 1.2]),
    "ours": Taken([0.6, 0.7, 0.8]),
    "pipecat": Taken([0.9, -0.1, 1.0], ["an answer did not come in 15 s"]),
    "broken": Taken(missing="it could not be installed: no space"),
}
TALKS = [
    Talks(1, [0.7], [0.1], [0.5]),
    Talks(2, [0.7, 0.8], [0.1, 0.2], [0.5, 0.6], stale=1, underruns=[0.02]),
]


def test_the_last_line() -> None:
    told = summary(COMPARED, TALKS, Embedded(Taken([2.0]), Taken([4.0])))
    assert told == {
        "ours_p50_s": 0.7,
        "ours_p95_s": 0.79,
        "peers": {"pipecat": 0.9, "broken": None},
        "ratio_to_best_peer": 0.778,
        "barge_in_p95_ms": 190,
        "underruns": 1,
        "stale": 1,
        "embedded_ratio_to_serial": 0.5,
    }


def test_without_answers_there_are_no_figures() -> None:
    told = summary({"ours": Taken(), "pipecat": Taken()}, [Talks(1)], Embedded())
    assert (told["ours_p50_s"], told["ratio_to_best_peer"], told["barge_in_p95_ms"]) == (None, None, None)
    assert told["embedded_ratio_to_serial"] is None


def test_the_table_hides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    talks = [*TALKS, Talks(4, failures=["an interruption did not come in 15 s"])]
    show(COMPARED, talks, Embedded(Taken([2.0]), Taken([4.0]), [80, 90], [70]))
    shown = capsys.readouterr().out
    for words in (
        "0.700",
        "broken: it could not be installed: no space",
        "pipecat: 1 before the question was over; an answer did not come in 15 s",
        "195",
        "4 at once: an interruption did not come",
        "4.000",
        "ours 85, serial 70",
    ):
        assert words in shown


def test_an_underrun_is_explained_by_a_server_that_was_held_up() -> None:
    underrun = Underrun(100.0, 0.3)
    assert explained(underrun, [(99.8, 0.4)])
    assert explained(underrun, [(98.9, 0.2)])
    assert not explained(underrun, [(90.0, 0.5), (100.4, 0.5)])


def test_foreign_words_are_found() -> None:
    own = transcript(["Anna"])
    assert foreign([own, transcript(["Boris"]), transcript([]), "Anna and Boris"], "Anna") == [
        transcript(["Boris"]),
        transcript([]),
        "Anna and Boris",
    ]


def test_memory_that_grows_has_a_slope() -> None:
    mb = 2**20
    assert slope([(t * 10.0, 100 * mb + t * mb) for t in range(20)]) == pytest.approx(360)
    assert slope([(0.0, mb)] * 2) is None
    told = figures(Soak(turns=3, rss=[(0.0, 100 * mb), (10.0, 104 * mb)], underruns=[Underrun(5, 1)]), [], 2)
    assert (told["rss_start_mb"], told["rss_end_mb"], told["underruns_unexplained"]) == (100, 104, 1)
