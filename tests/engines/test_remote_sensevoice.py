"""SenseVoice at the other end: our own API loses nothing on the way, and FunASR's real server is understood."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines.spoken import EN, ZH, join, say, silence
from tests.engines.test_recognizer_remote import remote
from tests.engines.tiny_sensevoice import ENVIRONMENT, TinySenseVoice, exported
from tests.scripted import ScriptedEngines
from tests.served import serving_api
from tests.waiting import wait_for_server
from webui.config import ROOT, Settings
from webui.engines.protocols import RecognitionRequest
from webui.engines.sensevoice_onnx import EXPORTED, SherpaSenseVoice
from webui.engines.store import ModelStore
from webui.types import Audio, Emotion

pytestmark = pytest.mark.engine
RATE = 16_000


class OurEngines(ScriptedEngines):
    """A real recognizer among scripted engines."""

    def get(self, job: str) -> Any:
        return getattr(self, job)


@pytest.fixture(scope="module")
def local(tiny_sensevoice: TinySenseVoice, tmp_path_factory: pytest.TempPathFactory) -> SherpaSenseVoice:
    models = tmp_path_factory.mktemp("models")
    (models / EXPORTED).symlink_to(exported(tiny_sensevoice))
    return SherpaSenseVoice(ModelStore(models), Settings(threads=1))


def test_thirty_clips_through_our_own_api_are_heard_as_at_home(
    local: SherpaSenseVoice, tiny_sensevoice: TinySenseVoice
) -> None:
    with serving_api(OurEngines(recognizer=local)) as url:  # type: ignore[arg-type]
        recognizer = remote(url)
        for clip in tiny_sensevoice.clips:
            for itn in (True, False):
                request = RecognitionRequest(Audio(clip.samples, RATE), itn=itn)
                assert list(recognizer.transcribe(request)) == list(local.transcribe(request))
        assert {s.emotion for c in tiny_sensevoice.clips for s in recognizer.transcribe(_whole(c.samples))} > {
            Emotion.HAPPY,
            Emotion.SAD,
            Emotion.ANGRY,
        }
        far, near = dict(recognizer.info.capabilities), dict(local.info.capabilities)
        assert far.pop("speakers") is not True and near.pop("speakers") and far == near
        assert recognizer.info.languages == local.info.languages


def test_a_long_recording_is_cut_as_at_home(local: SherpaSenseVoice) -> None:
    request = RecognitionRequest(join(say(EN, "en"), silence(14), say(ZH, "zh"), silence(16), say(EN, "en")))
    with serving_api(OurEngines(recognizer=local)) as url:  # type: ignore[arg-type]
        far, near = list(remote(url).transcribe(request)), list(local.transcribe(request))
    assert [s.language for s in near] == ["en", "zh", "en"]
    assert [(s.text, s.language, s.emotion) for s in far] == [(s.text, s.language, s.emotion) for s in near]
    assert [s.start for s in far] == pytest.approx([s.start for s in near], abs=0.01)
    assert [w.start for s in far for w in s.words] == pytest.approx([w.start for s in near for w in s.words], abs=0.01)


@pytest.fixture(scope="module")
def funasr_server(tiny_sensevoice: TinySenseVoice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server that comes with funasr, on the tiny checkpoint, with no way to a hub."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        ENVIRONMENT,
        "-c",
        "from funasr.bin.server import main; main()",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += ["--device", "cpu", "--model-path", tiny_sensevoice.checkpoint]
    log = Path(tmp_path_factory.mktemp("funasr")) / "log"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "no_proxy": "127.0.0.1"}
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT, env=environment) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for_server(server, f"{url}/health")
            yield url
        finally:
            server.terminate()


def test_funasrs_own_server_gives_the_words_and_is_known_to_tell_no_more(
    funasr_server: str, tiny_sensevoice: TinySenseVoice
) -> None:
    recognizer = remote(f"{funasr_server}/v1", key="")
    for clip in tiny_sensevoice.clips:
        heard = list(recognizer.transcribe(_whole(clip.samples, itn=False)))
        if clip.text:
            (segment,) = heard
            assert (segment.text, segment.language) == (clip.plain, clip.language)
            assert (segment.emotion, segment.events) == (Emotion.EMO_UNKNOWN, ())
        else:
            assert heard == []
    assert isinstance(recognizer.info.capabilities["emotion"], str)


def _whole(samples: object, itn: bool = True) -> RecognitionRequest:
    return RecognitionRequest(Audio(samples, RATE), itn=itn)  # type: ignore[arg-type]
