"""``python -m webui.doctor``: what it says of a machine that is made up, and that it runs on this one."""

from __future__ import annotations

import json

import pytest

from tests.unit.test_choosing import GPU_BOX, NOTHING, WITH_HUB
from webui import doctor
from webui.engines.choosing import JOBS
from webui.engines.probe import Probe
from webui.ui.labels import table, text


@pytest.fixture
def report(monkeypatch, capsys, tmp_path):
    """``report(probe, *arguments, **settings)``: what is printed, exit status 0."""
    monkeypatch.setenv("FUNAUDIO_MODELS_DIR", str(tmp_path))

    def run(probe: Probe, *arguments: str, **settings: str) -> str:
        for name, value in {"profile": "auto", **settings}.items():
            monkeypatch.setenv(f"FUNAUDIO_{name.upper()}", value)
        monkeypatch.setattr(doctor, "look", lambda *_: probe)
        assert doctor.main(list(arguments)) == 0
        return capsys.readouterr().out

    return run


def test_a_machine_with_everything(report):
    said = report(GPU_BOX)
    print(said)
    assert "NVIDIA A10, 23.6 GB / 25.8 GB" in said
    assert "Hugging Face" in said
    assert "torch (CUDA)" in said
    assert text("doctor_nothing_better") in said
    assert "SenseVoice (FunASR)" in said and "CosyVoice" in said


def test_a_machine_with_nothing_is_told_what_to_do(report):
    said = report(NOTHING)
    print(said)
    assert ".venv/bin/pip install -r requirements.txt" in said
    assert text("lacks_weights", engine="Qwen", folder="models/qwen3-1.7b-gguf") in " ".join(said.split())
    assert text("lacks_packages", engine="SenseVoice", packages="sherpa_onnx") in " ".join(said.split())
    assert text("doctor_cannot") in said


def test_it_speaks_chinese(report):
    said = report(WITH_HUB, lang="zh")
    assert table()["zh"]["doctor_found"] in said
    assert "ModelScope" in said


def test_programs_get_json(report):
    told = json.loads(report(WITH_HUB, "--json", profile="remote"))
    assert list(told["chosen"]) == list(JOBS)
    assert told["found"]["hub"] == "modelscope"
    chat = told["chosen"]["chat"]
    assert (chat["engine"], chat["model"]) == ("llama", "qwen3-4b-instruct-2507-gguf")
    assert chat["better"]["command"] == "--chat-url"
    assert chat["better"]["text"] == text("better_address", command="--chat-url")
    assert told["chosen"]["recognizer"]["lacking"]["funasr"]["key"] == "lacks_gpu"


def test_an_engine_that_there_is_not_is_said(monkeypatch, capsys):
    monkeypatch.setenv("FUNAUDIO_CHAT", "gpt")
    assert doctor.main([]) == 1
    assert "There is no engine named gpt" in capsys.readouterr().out


def test_this_machine(capsys):
    assert doctor.main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["found"]["memory"] > 0
