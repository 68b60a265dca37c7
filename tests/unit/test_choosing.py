"""Which engines are chosen: only what the machine has is made up. Each case prints its reasons, as the page says them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webui.config import Settings
from webui.engines.catalog import load_catalog
from webui.engines.choosing import EMBEDDED, JOBS, Choice, Sentence, _candidates, choose, options
from webui.engines.probe import PACKAGES, Gpu, Probe
from webui.engines.registry import BUILT_IN
from webui.ui.labels import table, text

GIB = 1 << 30
ALL = frozenset(PACKAGES)
NOTHING = Probe(memory=4 * GIB)
DEFAULT_INSTALL = Probe(memory=12 * GIB, packages=frozenset({"sherpa_onnx"}))
WITH_HUB = replace(DEFAULT_INSTALL, hub="modelscope")
GPU_BOX = Probe(
    Gpu("NVIDIA A10", 22 * GIB, 24 * GIB), 64 * GIB, "huggingface", packages=ALL, torch_cuda=True,
    environments=frozenset({"cosyvoice"}),
)  # fmt: skip


def with_gpu(free_gib: float, probe: Probe = GPU_BOX) -> Probe:
    return replace(probe, gpu=Gpu("NVIDIA A10", int(free_gib * GIB), 24 * GIB))


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **{"profile": "auto", **given})  # type: ignore[arg-type]


def said(sentence: Sentence | None) -> str:
    return text(sentence.key, **sentence.values) if sentence else "-"


def chosen(given: Settings, probe: Probe) -> dict[str, Choice]:
    """The choices, printed, with every sentence filled in both languages."""
    choices = choose(given, probe)
    assert [choice.job for choice in choices] == list(JOBS)
    for choice in choices:
        print(f"{choice.job}: {choice.name}: {said(choice.why)} | {said(choice.missing)} | {said(choice.better)}")
        for sentence in filter(None, (choice.why, choice.missing, choice.better)):
            for words in table().values():
                assert "{" not in words[sentence.key].format(**sentence.values)
    return {choice.job: choice for choice in choices}


# What is found, the profile, the engines for JOBS in order, and the keys of their reasons.
CASES = {
    "auto, nothing at all": (NOTHING, "auto", ("whisper", "llama", "kokoro"), ("why_embedded",) * 3),
    "auto, default install without a hub": (
        DEFAULT_INSTALL, "auto", ("whisper", "llama", "kokoro"), ("why_embedded",) * 3,
    ),
    "auto, default install with a hub": (
        WITH_HUB, "auto", ("sensevoice", "llama", "kokoro"), ("why_hub", "why_hub", "why_embedded"),
    ),
    "auto, weights here and no hub": (
        replace(DEFAULT_INSTALL, models=frozenset({"sensevoice-int8"})), "auto",
        ("sensevoice", "llama", "kokoro"), ("why_here", "why_embedded", "why_embedded"),
    ),
    "auto, CosyVoice set up on a CPU": (
        replace(WITH_HUB, environments=frozenset({"cosyvoice"})), "auto",
        ("sensevoice", "llama", "cosyvoice"), ("why_hub", "why_hub", "why_environment"),
    ),
    "auto, a large GPU": (GPU_BOX, "auto", ("funasr", "transformers", "cosyvoice"), ("why_gpu",) * 3),
    "auto, a GPU of 7 GB": (
        with_gpu(7), "auto", ("funasr", "llama", "cosyvoice"), ("why_gpu", "why_hub", "why_gpu"),
    ),
    "auto, a GPU of 3 GB": (
        with_gpu(3), "auto", ("funasr", "llama", "cosyvoice"), ("why_gpu", "why_hub", "why_environment"),
    ),
    "auto, a GPU and no torch": (
        replace(GPU_BOX, packages=frozenset({"sherpa_onnx"}), torch_cuda=False, environments=frozenset()), "auto",
        ("sensevoice", "llama", "kokoro"), ("why_hub", "why_hub", "why_embedded"),
    ),
    "auto, a GPU and a torch for the CPU": (
        replace(GPU_BOX, torch_cuda=False), "auto",
        ("sensevoice", "llama", "cosyvoice"), ("why_hub", "why_hub", "why_gpu"),
    ),
    "embedded, whatever there is": (GPU_BOX, "embedded", ("whisper", "llama", "kokoro"), ("why_asked",) * 3),
    "cpu, a large GPU": (
        GPU_BOX, "cpu", ("sensevoice", "llama", "cosyvoice"), ("why_hub", "why_hub", "why_environment"),
    ),
    "cpu, nothing": (NOTHING, "cpu", ("whisper", "llama", "kokoro"), ("why_embedded",) * 3),
    "gpu, a large GPU": (GPU_BOX, "gpu", ("funasr", "transformers", "cosyvoice"), ("why_gpu",) * 3),
    "gpu, none there": (WITH_HUB, "gpu", ("sensevoice", "llama", "kokoro"), ("why_hub", "why_hub", "why_embedded")),
    "remote without an address": (
        WITH_HUB, "remote", ("sensevoice", "llama", "kokoro"), ("why_hub", "why_hub", "why_embedded"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_profile_and_the_machine_decide(case: str) -> None:
    probe, profile, names, reasons = CASES[case]
    choices = chosen(settings(profile=profile), probe)
    assert tuple(choices[job].name for job in JOBS) == names
    assert tuple(choices[job].why.key for job in JOBS) == reasons


@pytest.mark.parametrize("profile", ["auto", "remote", "cpu", "gpu"])
@pytest.mark.parametrize(("job", "name"), [("recognizer", "remote"), ("chat", "openai"), ("synthesizer", "remote")])
def test_a_server_does_the_job_whose_address_is_given(profile: str, job: str, name: str) -> None:
    choices = chosen(settings(profile=profile, **{f"{job}_url": "http://127.0.0.1:9"}), WITH_HUB)
    assert (choices[job].name, choices[job].why) == (name, Sentence("why_address", {"command": f"--{job}-url"}))
    assert not [j for j in JOBS if j != job and choices[j].why.key == "why_address"]


@pytest.mark.parametrize(("job", "name"), [(job, name) for job in JOBS for name in BUILT_IN[job]])
@pytest.mark.parametrize("profile", ["auto", "embedded", "cpu", "gpu", "remote"])
def test_an_engine_that_is_named_wins(profile: str, job: str, name: str) -> None:
    plain = chosen(settings(profile=profile), GPU_BOX)
    choices = chosen(settings(profile=profile, **{job: name, f"{job}_url": "http://127.0.0.1:9"}), GPU_BOX)
    assert (choices[job].name, choices[job].why.key, choices[job].automatic) == (name, "why_named", False)
    assert {j: c.name for j, c in choices.items() if j not in (job, "chat")} == {
        j: c.name for j, c in plain.items() if j not in (job, "chat")
    }


# What is found, the job, what is missing for a better engine, and the command that brings it.
ADVICE = {
    "packages for the GPU": (
        replace(GPU_BOX, packages=frozenset({"sherpa_onnx"})), "auto", "recognizer",
        "lacks_packages", ".venv/bin/pip install -r requirements-gpu.txt",
    ),
    "CosyVoice's environment": (
        replace(GPU_BOX, environments=frozenset()), "auto", "synthesizer",
        "lacks_environment", "bash scripts/engine_envs.sh cosyvoice",
    ),
    "weights, while no hub answers": (DEFAULT_INSTALL, "auto", "recognizer", "lacks_weights", None),
    "packages of the default install": (
        NOTHING, "auto", "recognizer", "lacks_packages", ".venv/bin/pip install -r requirements.txt",
    ),
    "a GPU that was asked for": (WITH_HUB, "gpu", "recognizer", "lacks_gpu", None),
    "a GPU that is full": (with_gpu(1), "auto", "recognizer", "lacks_gpu_memory", None),
    "a torch for CUDA": (replace(GPU_BOX, torch_cuda=False), "auto", "recognizer", "lacks_cuda", None),
    "a server's address": (WITH_HUB, "remote", "chat", "lacks_address", "--chat-url"),
    "nothing is better": (GPU_BOX, "auto", "recognizer", None, None),
    "CosyVoice is too slow for a CPU to be advised": (WITH_HUB, "auto", "synthesizer", None, None),
}  # fmt: skip


@pytest.mark.parametrize("case", ADVICE)
def test_what_would_be_better_is_said(case: str) -> None:
    probe, profile, job, missing, command = ADVICE[case]
    choice = chosen(settings(profile=profile), probe)[job]
    assert (choice.missing.key if choice.missing else None) == missing
    assert (choice.better.values["command"] if choice.better else None) == command


@pytest.mark.parametrize(
    ("probe", "given", "model"),
    [
        (WITH_HUB, {}, "qwen3-4b-instruct-2507-gguf"),
        (replace(WITH_HUB, memory=5 * GIB), {}, "qwen3-1.7b-gguf"),
        (replace(WITH_HUB, memory=2 * GIB), {}, ""),
        (WITH_HUB, {"small": True}, ""),
        (WITH_HUB, {"chat_model": "qwen3-8b-gguf"}, "qwen3-8b-gguf"),
        (GPU_BOX, {"chat_model": "qwen3-8b-gguf"}, "qwen3-8b-gguf"),
        (GPU_BOX, {}, "qwen3-4b-instruct-2507"),
        (with_gpu(40), {}, "qwen3-8b"),
    ],
)
def test_the_language_model_fits_the_memory(probe: Probe, given: dict[str, object], model: str) -> None:
    choice = chosen(settings(**given), probe)["chat"]
    assert choice.model == model
    assert choice.name == ("transformers" if model and not model.endswith("-gguf") else "llama")


@pytest.mark.parametrize(
    ("probe", "name", "given", "model"),
    [
        (WITH_HUB, "llama", {}, "qwen3-4b-instruct-2507-gguf"),
        (DEFAULT_INSTALL, "llama", {}, ""),
        (WITH_HUB, "llama", {"profile": "embedded"}, ""),
        (WITH_HUB, "llama", {"chat_model": "qwen3-8b-gguf"}, ""),
        (WITH_HUB, "openai", {}, ""),
        (GPU_BOX, "llama", {}, "qwen3-4b-instruct-2507-gguf"),
        (GPU_BOX, "transformers", {}, "qwen3-4b-instruct-2507"),
        (with_gpu(3), "transformers", {}, ""),
    ],
)
def test_an_engine_that_is_asked_for_by_name_gets_the_model_that_fits(
    probe: Probe, name: str, given: dict[str, object], model: str
) -> None:
    assert chosen(settings(chat=name, **given), probe)["chat"].model == model


@pytest.mark.parametrize(
    ("given", "here", "why"),
    [
        ({}, "cosyvoice-300m-sft", "why_environment"),
        ({"cosyvoice_model": "/my/cosyvoice"}, "/my/cosyvoice", "why_environment"),
        ({"cosyvoice_model": "/my/cosyvoice"}, "cosyvoice2-0.5b", "why_embedded"),
        ({}, "cosyvoice3-0.5b", "why_embedded"),
        ({"cosyvoice_code": "/my/code"}, "cosyvoice3-0.5b", "why_environment"),
    ],
)
def test_cosyvoice_speaks_with_the_weights_that_are_here(given: dict[str, object], here: str, why: str) -> None:
    probe = Probe(environments=frozenset({"cosyvoice"}), models=frozenset({here}))
    assert chosen(settings(**given), probe)["synthesizer"].why.key == why


def test_device_cpu_leaves_the_gpu_alone() -> None:
    assert chosen(settings(device="cpu"), GPU_BOX)["recognizer"].name == "sensevoice"


def test_the_embedded_engines_stand_in_only_for_what_was_not_asked_for() -> None:
    assert all(choice.automatic for choice in choose(settings(), WITH_HUB))
    assert not any(choice.automatic for choice in choose(settings(profile="embedded"), WITH_HUB))


def test_options_say_what_is_lacking() -> None:
    def lacking(job: str, probe: Probe, **given: object) -> dict[str, str]:
        found = options(job, [*BUILT_IN[job], "theirs"], settings(**given), probe)
        return {option.name: option.lacks.key for option in found if option.lacks}

    without_hub = lacking("recognizer", DEFAULT_INSTALL)
    assert {without_hub.pop("funasr"), without_hub.pop("remote")} == {"lacks_gpu", "lacks_address"}
    assert set(without_hub) == set(BUILT_IN["recognizer"]) - {"whisper", "funasr", "remote"}
    assert set(without_hub.values()) == {"lacks_weights"}
    assert lacking("recognizer", WITH_HUB, recognizer_url="http://127.0.0.1:9") == {"funasr": "lacks_gpu"}
    assert lacking("synthesizer", GPU_BOX) == {"remote": "lacks_address"}
    assert lacking("synthesizer", WITH_HUB) == {"cosyvoice": "lacks_environment", "remote": "lacks_address"}


@pytest.mark.parametrize("job", JOBS)
def test_what_is_named_exists(job: str) -> None:
    for needs in _candidates(job, settings(), GPU_BOX, 0):
        assert needs.name in BUILT_IN[job]
        assert not {name for name in needs.weights if not name.endswith("-exported")} - load_catalog().keys()
    assert EMBEDDED[job] in BUILT_IN[job]
