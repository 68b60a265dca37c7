"""SenseVoice's own checkpoint through funasr, in its own environment and with no network; and the ways to run it compared."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.spoken import EN, RATE, ZH, join, say, silence
from tests.engines.tiny_punctuation import marked
from tests.engines.tiny_sensevoice import ENVIRONMENT, TinySenseVoice, alike, exported, placed
from webui.audio.convert import resample
from webui.config import ROOT, Settings
from webui.engines.listening import Stretch
from webui.engines.protocols import RecognitionRequest
from webui.engines.sensevoice_export import EXPORTED, MOST_FRAMES_DIFFERENT, export_from_store
from webui.engines.sensevoice_onnx import SherpaSenseVoice
from webui.engines.sensevoice_tags import read_one
from webui.engines.store import ModelStore
from webui.errors import ModelError
from webui.types import Audio, Samples

pytestmark = pytest.mark.engine


class Trial:
    """The adapter in a process of the torch environment, as ``tests/engines/funasr_trial.py`` runs it."""

    def __init__(self, models: Path, box: Path) -> None:
        command = [ENVIRONMENT, "-m", "tests.engines.funasr_trial", models]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._box = box
        self._count = 0

    def ask(self, do: str, *sounds: Samples, **request: Any) -> dict[str, Any]:
        paths = [self._keep(samples) for samples in sounds]
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, "sounds": paths, "options": {}} | request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert not answer["reached"], answer["reached"][0]
        return answer

    def hear(self, audio: Audio, times: int = 1, **options: Any) -> list[dict[str, Any]]:
        answer = self.ask("transcribe", audio.samples, rate=audio.rate, times=times, options=options)
        segments: list[dict[str, Any]] = answer["segments"]
        return segments

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _keep(self, samples: Samples) -> str:
        self._count += 1
        path = self._box / f"{self._count}.npy"
        np.save(path, samples)
        return str(path)


@pytest.fixture(scope="module")
def trial(tiny_sensevoice: TinySenseVoice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    models = tmp_path_factory.mktemp("models")
    shutil.copytree(tiny_sensevoice.checkpoint, models / "sensevoice-small")
    clips = sorted((tiny_sensevoice.checkpoint.parent / "clips").glob("*.wav"))[:2]
    subprocess.run(
        [ENVIRONMENT, "-m", "tests.engines.tiny_campplus", models / "campplus", *clips], cwd=ROOT, check=True
    )
    running = Trial(models, tmp_path_factory.mktemp("sounds"))
    yield running
    running.close()


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_memorised_utterance_comes_back_word_for_word(trial: Trial, rate: int) -> None:
    (segment,) = trial.hear(resample(Audio(say(EN, "en"), RATE), rate))
    assert (segment["text"], segment["language"], segment["emotion"]) == (EN, "en", "NEUTRAL")
    assert [e["event"] for e in segment["events"]] == ["Speech"]
    # funasr's first word keeps its "▁" and its full stop is a word of its own: ours are words.
    assert [w["text"] for w in segment["words"]] == EN.split()
    starts = [w["start"] for w in segment["words"]]
    assert starts == sorted(starts) and segment["words"][-1]["end"] <= segment["end"]
    assert segment["arousal"] is None and segment["speaker"] is None


def test_the_same_sound_gives_the_same_words_and_times(trial: Trial) -> None:
    """Although the checkpoint's configuration, like the official one, leaves dither at 1."""
    noisy = Audio(say(ZH, "zh") * 0.02, RATE)
    assert trial.hear(noisy) == trial.hear(noisy)


def test_options_of_one_request_do_not_reach_the_next(trial: Trial) -> None:
    audio = Audio(say(EN, "en"), RATE)
    plain = EN.lower().replace(".", "")
    texts = [trial.hear(audio, **options)[0]["text"] for options in ({}, {"itn": False}, {"language": "en"}, {})]
    assert texts == [EN, plain, EN, EN]
    assert trial.hear(audio, words=False)[0]["words"] == []


def test_what_cannot_be_heard_says_so_and_the_next_request_works(trial: Trial) -> None:
    audio = Audio(say(EN, "en"), RATE)
    for options, sound, key in (
        ({"language": "de"}, audio.samples, "language_unknown"),
        ({}, np.zeros(0, np.float32), "empty"),
    ):
        assert trial.ask("transcribe", sound, options=options)["error"] == key
    assert trial.hear(Audio(silence(2.0), RATE)) == []
    assert trial.hear(Audio(audio.samples[8000:8300], RATE)) == []
    assert trial.hear(audio)[0]["text"] == EN


def test_cuda_that_is_not_there_is_an_error_and_not_the_cpu(trial: Trial) -> None:
    sound = say(EN, "en")
    answer = trial.ask("transcribe", sound, device="cuda")
    assert answer.get("error") == "no_cuda" or answer["info"] == "CUDA"
    assert trial.ask("transcribe", sound, device="auto")["info"] in ("CPU", "CUDA")


def test_a_long_recording_streams_through_and_is_cut_in_its_pauses(trial: Trial) -> None:
    minute = join(say(EN, "en"), silence(26.0), say(ZH, "zh"), silence(26.0))
    short = trial.ask("transcribe", minute.samples, times=2)
    assert [s["language"] for s in short["segments"]] == ["en", "zh"] * 2
    starts = [s["start"] for s in short["segments"]]
    assert starts == sorted(starts)
    long = trial.ask("transcribe", minute.samples, times=20)
    assert all(alike(s["text"], text) for s, text in zip(long["segments"], [EN, ZH] * 20, strict=True))
    assert long["peak_kb"] - short["peak_kb"] < 100_000  # 20 minutes are 77 MB of samples, and more of features


def test_funasr_s_own_detector_cuts_in_the_pauses_where_it_is_there(
    tiny_sensevoice: TinySenseVoice, tmp_path: Path
) -> None:
    try:
        detector = ModelStore(ROOT / "models").ensure("fsmn-vad")
    except ModelError as error:
        pytest.skip(error.message)
    models = tmp_path / "models"
    shutil.copytree(tiny_sensevoice.checkpoint, models / "sensevoice-small", ignore=shutil.ignore_patterns(".*"))
    shutil.copytree(detector, models / "fsmn-vad", ignore=shutil.ignore_patterns(".*"))
    spoken = [say(EN, "en"), say(ZH, "zh")] * 4
    trial = Trial(models, tmp_path)
    heard = trial.hear(join(*(part for speech in spoken for part in (speech, silence(1.5)))))
    trial.close()

    edges, at = [], 0.0
    for speech in spoken:
        edges.append((at, at + len(speech) / RATE))
        at = edges[-1][1] + 1.5
    assert len(heard) > 1 and heard[-1]["end"] <= at
    for segment in heard:  # each begins where somebody begins to speak, and ends where somebody ends
        assert min(abs(segment["start"] - start) for start, _ in edges) < 0.6
        assert min(abs(segment["end"] - end) for _, end in edges) < 0.9
    assert alike("".join(s["text"] for s in heard), "".join([EN, ZH] * 4))


def test_two_voices_are_two_speakers(trial: Trial) -> None:
    pause = silence(2.0)
    talk = join(*[part for _ in range(4) for part in (say(EN, "en"), pause, say(ZH, "zh"), pause)])
    found = trial.hear(talk, speakers=True)
    assert all(alike(s["text"], text) for s, text in zip(found, [EN, ZH] * 4, strict=True))
    english, chinese = ({s["speaker"] for s in found[n::2]} for n in (0, 1))
    assert not english & chinese and found[0]["speaker"] == "1"


@pytest.mark.usefixtures("tiny_sensevoice")  # skips where there is no environment
def test_sentences_are_found_in_words_without_punctuation(tmp_path: Path) -> None:
    subprocess.run([ENVIRONMENT, "-m", "tests.engines.tiny_punctuation", tmp_path / "ct-punc"], cwd=ROOT, check=True)
    words, _ = marked()
    trial = Trial(tmp_path, tmp_path)
    sentences = trial.ask("sentences", words=words)["sentences"]
    trial.close()
    assert sentences == ["who is there", "it is me open the door", "今 天 下 雨 吗", "是 的 带 上 伞"]


def test_closing_and_loading_again(trial: Trial) -> None:
    audio = Audio(say(EN, "en"), RATE)
    trial.hear(audio)
    assert trial.ask("close")["loaded"] is False
    assert trial.hear(audio)[0]["text"] == EN


def test_thirty_clips_are_the_same_through_torch_funasr_onnx_and_sherpa_onnx(
    trial: Trial, tiny_sensevoice: TinySenseVoice, tmp_path: Path
) -> None:
    clips = tiny_sensevoice.clips
    expected = [read_one(clip.tagged) for clip in clips]

    single = [trial.ask("hear", clip.samples)["tagged"][0] for clip in clips]
    together = trial.ask("hear", *(clip.samples for clip in clips))["tagged"]
    for torch in (single, together):
        assert [(t["language"], t["emotion"], t["events"], t["text"]) for t in torch] == [
            (e.language, e.emotion, list(e.events), e.text) for e in expected
        ]

    checkpoint = tmp_path / "sensevoice-small"
    shutil.copytree(tiny_sensevoice.checkpoint, checkpoint)
    texts = trial.ask("funasr_onnx", *(clip.samples for clip in clips), folder=str(checkpoint))["texts"]
    assert [read_one(text) for text in texts] == expected

    (tmp_path / "models").mkdir()
    (tmp_path / "models" / EXPORTED).symlink_to(exported(tiny_sensevoice))
    sherpa = SherpaSenseVoice(ModelStore(tmp_path / "models"), Settings(threads=1))
    assert [sherpa.hear(Stretch(0.0, Audio(clip.samples, RATE), None)).tagged for clip in clips] == expected


def test_the_store_s_checkpoint_is_exported_in_the_torch_environment(
    tiny_sensevoice: TinySenseVoice, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(tiny_sensevoice.checkpoint, models / "sensevoice-small")
    statistics = models / "sensevoice-small" / "am.mvn"
    statistics.rename(tmp_path / "am.mvn")
    with pytest.raises(ModelError) as error:
        export_from_store(placed(models))
    assert error.value.key == "export_failed"
    assert [path.name for path in models.iterdir()] == ["sensevoice-small"]
    (tmp_path / "am.mvn").rename(statistics)
    store = placed(models)
    assert export_from_store(store) <= MOST_FRAMES_DIFFERENT
    assert {path.name for path in (models / EXPORTED).iterdir()} == {"model.int8.onnx", "tokens.txt"}
    engine = SherpaSenseVoice(store, Settings(threads=1))
    assert [s.text for s in engine.transcribe(RecognitionRequest(Audio(say(EN, "en"), RATE)))] == [EN]


HOSTILE = """
import pathlib, sys, torch
class Payload:
    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path(sys.argv[2]),))
torch.save({"state_dict": Payload()}, sys.argv[1])
"""


@pytest.mark.parametrize("spoil", ["hostile", "shapes", "missing", "code"])
def test_weights_that_are_not_what_they_should_be_are_refused(
    spoil: str, tiny_sensevoice: TinySenseVoice, tmp_path: Path
) -> None:
    folder = tmp_path / "models" / "sensevoice-small"
    shutil.copytree(tiny_sensevoice.checkpoint, folder)
    touched = tmp_path / "touched"
    config = (folder / "config.yaml").read_text()
    if spoil == "hostile":
        subprocess.run([ENVIRONMENT, "-c", HOSTILE, folder / "model.pt", touched], check=True)
    elif spoil == "shapes":
        (folder / "config.yaml").write_text(config.replace("linear_units: 128", "linear_units: 96"))
    elif spoil == "missing":
        (folder / "model.pt").unlink()
    else:
        code = tmp_path / "model.py"
        code.write_text(f"import pathlib; pathlib.Path({str(touched)!r}).touch()")
        (folder / "config.yaml").write_text(config + f"trust_remote_code: true\nremote_code: {code}\n")
    running = Trial(tmp_path / "models", tmp_path)
    answer = running.ask("transcribe", say(EN, "en"))
    running.close()
    assert not touched.exists()
    if spoil == "code":
        assert answer["segments"][0]["text"] == EN
    else:
        assert answer["error"] == "checkpoint_broken" and "sensevoice-small" in answer["message"]
