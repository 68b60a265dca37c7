"""transformers, for real, on a Qwen3 of two layers: in its own environment, with the network blocked."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.engines.tiny_qwen import HELLO
from tests.engines.tiny_sensevoice import ENVIRONMENT
from webui.config import ROOT

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not ENVIRONMENT.exists():
        pytest.skip("needs torch and transformers: bash scripts/engine_envs.sh funasr")
    folder: Path = tmp_path_factory.mktemp("qwen")
    done = subprocess.run(
        [str(ENVIRONMENT), "-m", "tests.engines.transformers_trial", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_answers_word_by_word(seen: dict[str, Any]) -> None:
    assert seen["hello"] == HELLO.replace(" ", " |").split("|")
    assert seen["loaded before"] is False


def test_what_was_read_before_is_not_read_again_and_changes_nothing(seen: dict[str, Any]) -> None:
    assert seen["hello again"] == seen["hello"]
    assert seen["read again"] == 1
    assert seen["read anew"] > 100


def test_a_tool_is_called(seen: dict[str, Any]) -> None:
    (call,) = seen["call"]
    assert call["name"] == "get_time"
    assert json.loads(call["arguments"]) == {"city": "Paris"}
    assert isinstance(seen["after a tool"], str), "the call and its result go into the template"


def test_json_is_taken_out_of_its_fence_and_checked(seen: dict[str, Any]) -> None:
    assert seen["json"] == ['{"mood":"sad"}']
    assert seen["no json"] == "chat_no_json"


def test_closing_stops_the_writing_at_once_and_the_next_answer_is_whole(seen: dict[str, Any]) -> None:
    assert len(seen["counted"]) == 3
    assert seen["nothing more"] == "end"
    assert seen["steps before it stopped"] < 1000 < 3500
    assert seen["hello after that"] == seen["hello"]


def test_closing_the_engine_gives_the_weights_back_and_the_next_question_loads_them(seen: dict[str, Any]) -> None:
    assert seen["closed"] == [False, True]
    assert seen["hello once more"] == seen["hello"]


def test_tokens_are_counted_and_limits_told(seen: dict[str, Any]) -> None:
    nothing, hello, accents = seen["tokens"]
    assert (nothing, accents) == (0, 100)
    assert 5 < hello < len(HELLO)
    assert seen["context"] == 4096
    assert seen["too long"] == "chat_too_long"


def test_a_thought_that_the_template_opens_is_not_spoken(seen: dict[str, Any]) -> None:
    assert seen["thoughts"] == []


def test_only_safetensors_of_the_models_folder_are_loaded(seen: dict[str, Any]) -> None:
    assert seen["pickled on cpu"] == "torch_chat_not_loaded"
    assert seen["../tiny on cpu"] == "model_unknown"
    assert seen["tiny on cuda"] in ("no_cuda", repr(seen["hello"]))
