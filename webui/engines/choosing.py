"""Which engine does which job on this machine, why, and what would give a better one. Pure: it looks at nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from webui.config import Settings
from webui.engines.presets import gguf_for, torch_bytes, torch_for
from webui.engines.probe import HUB_NAMES, Probe

JOBS = ("recognizer", "chat", "synthesizer")
EMBEDDED = {"recognizer": "whisper", "chat": "llama", "synthesizer": "kokoro"}
REMOTE = {"recognizer": "remote", "chat": "openai", "synthesizer": "remote"}

SMALLEST_FOR_TORCH = "qwen3-1.7b"
_GIB = 1 << 30
_COSYVOICE_GPU = 4 * _GIB
_GPU_PACKAGES = ".venv/bin/pip install -r requirements-gpu.txt"
_PACKAGES = ".venv/bin/pip install -r requirements.txt"
_ENVIRONMENT = "bash scripts/engine_envs.sh {}"


@dataclass(frozen=True)
class Sentence:
    """A sentence of the page's label table, and what fills its blanks."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """The engine taken for a job, and why; what keeps a better one away; and the one thing to do about it.

    ``better`` has the command or the setting in ``values["command"]``. An ``automatic`` choice is one that the person
    did not ask for: the embedded engine may stand in for it. ``model`` is the catalogue's name of the weights, where an
    engine has several to take.
    """

    job: str
    name: str
    why: Sentence
    missing: Sentence | None = None
    better: Sentence | None = None
    automatic: bool = False
    model: str = ""


@dataclass(frozen=True)
class Option:
    """An engine that could be switched to; ``lacks`` says why not, where it cannot."""

    name: str
    lacks: Sentence | None


@dataclass(frozen=True)
class Needs:
    """What an engine needs of a machine.

    ``gpu`` is GPU memory in bytes, 0 for one that runs on the CPU. ``packages`` are modules of the program's own
    environment, ``environment`` is one of ``scripts/engine_envs.sh``. One of ``weights``, catalogue names with the best
    first, must be here or to be had. ``advised``: a person is told how to get what is missing.
    """

    name: str
    title: str
    gpu: int = 0
    packages: tuple[str, ...] = ()
    environment: str = ""
    weights: tuple[str, ...] = ()
    advised: bool = True


def _candidates(job: str, settings: Settings, probe: Probe, left: int) -> tuple[Needs, ...]:
    """The engines that are better than the embedded one, the best first; ``left`` is GPU memory in bytes."""
    if job == "recognizer":
        return _HEARS_BY_TORCH, _HEARS
    if job == "chat":
        return _thinkers(settings, probe, left)
    weights = (settings.cosyvoice_model,) if settings.cosyvoice_model else _cosyvoices(settings)
    on_gpu = Needs("cosyvoice", "CosyVoice", _COSYVOICE_GPU, environment="cosyvoice", weights=weights)
    # On a CPU it is slow: taken where somebody has set it up, and advised to nobody.
    return on_gpu, replace(on_gpu, gpu=0, advised=False)


def _cosyvoices(settings: Settings) -> tuple[str, ...]:
    """The catalogue's, the one to fetch first; 3 needs code that no package has."""
    rest = ("cosyvoice2-0.5b", "cosyvoice-300m-instruct", "cosyvoice-300m-sft", "cosyvoice-300m")
    return ("cosyvoice3-0.5b", *rest) if settings.cosyvoice_code else rest


def _thinkers(settings: Settings, probe: Probe, left: int) -> tuple[Needs, ...]:
    """Language models in the sizes that fit, or the one that was named."""
    named = "" if settings.chat_url else settings.chat_model
    torch = named or torch_for(left) or SMALLEST_FOR_TORCH
    gguf = named or gguf_for(probe.memory)
    on_gpu = Needs("transformers", "Qwen", torch_bytes(torch) or 1, ("torch", "transformers"), weights=(torch,))
    on_cpu = Needs("llama", "Qwen", weights=(gguf,))
    if torch.endswith("-gguf"):
        return (on_cpu,)
    return (on_gpu, on_cpu) if gguf else (on_gpu,)


_SENSEVOICE_INT8 = ("sensevoice-int8", "sensevoice-int8-exported")
_HEARS_BY_TORCH = Needs("funasr", "SenseVoice", 2 * _GIB, ("torch", "funasr"), weights=("sensevoice-small",))
_HEARS = Needs("sensevoice", "SenseVoice", packages=("sherpa_onnx",), weights=_SENSEVOICE_INT8)
# Taken only by those who ask for them.
_OTHERS = {
    "recognizer": (
        replace(_HEARS, name="sensevoice-whisper"),
        *(
            Needs(f"whisper-{s}", "Whisper", weights=(f"whisper-{s}",))
            for s in ("small", "medium", "turbo", "large-v3")
        ),
    )
}


def choose(settings: Settings, probe: Probe) -> tuple[Choice, ...]:
    """The engine for each of ``JOBS``, in that order, as the profile and the single settings ask for them."""
    left = _gpu_memory(settings, probe)
    chosen: dict[str, Choice] = {}
    for job in ("recognizer", "synthesizer", "chat"):  # who thinks takes what the others leave of the GPU
        choice = _asked(job, settings, probe)
        if choice is None:
            choice, used = _best(job, settings, probe, left)
            left -= used
        chosen[job] = choice
    return tuple(chosen[job] for job in JOBS)


def options(job: str, names: Iterable[str], settings: Settings, probe: Probe) -> tuple[Option, ...]:
    """Each engine of ``names`` with what it lacks; of a third party's, nothing is known."""
    return tuple(Option(name, _lacking(job, name, settings, probe)) for name in names)


def model_for(job: str, name: str, settings: Settings, probe: Probe) -> str:
    """The catalogue's name of the weights that engine ``name`` should take here; empty for its own choice."""
    if job != "chat" or settings.chat_model or settings.small or settings.profile == "embedded":
        return ""
    left = max(0, _gpu_memory(settings, probe) - _HEARS_BY_TORCH.gpu - _COSYVOICE_GPU)
    fitting = (n.weights[0] for n in _thinkers(settings, probe, left) if n.name == name and not _lacks(n, probe, left))
    return next(fitting, "")


def _lacking(job: str, name: str, settings: Settings, probe: Probe) -> Sentence | None:
    if name == REMOTE[job]:
        setting = f"--{job}-url"
        return None if getattr(settings, f"{job}_url") else Sentence("lacks_address", {"command": setting})
    left = _gpu_memory(settings, probe)
    known = (*_candidates(job, settings, probe, left), *_OTHERS.get(job, ()))
    found = [_lacks(needs, probe, left) for needs in known if needs.name == name]
    return None if name == EMBEDDED[job] or not found or None in found else found[-1]


def _asked(job: str, settings: Settings, probe: Probe) -> Choice | None:
    """What the person asked for: an engine by name, a server by address, or the embedded engines."""
    if name := str(getattr(settings, job)):
        why = Sentence("why_named", {"command": f"--{job}"})
        return Choice(job, name, why, model=model_for(job, name, settings, probe))
    if settings.profile == "embedded":
        return Choice(job, EMBEDDED[job], Sentence("why_asked"))
    if getattr(settings, f"{job}_url"):
        return Choice(job, REMOTE[job], Sentence("why_address", {"command": f"--{job}-url"}))
    if job == "chat" and settings.small:
        return Choice(job, EMBEDDED[job], Sentence("why_named", {"command": "--small"}))
    return None


def _best(job: str, settings: Settings, probe: Probe, left: int) -> tuple[Choice, int]:
    """The best engine that has what it needs, and the bytes it takes of the GPU's memory."""
    missing: Sentence | None = None
    better: Sentence | None = None
    if settings.profile == "remote":
        setting = {"command": f"--{job}-url"}
        missing, better = Sentence("lacks_address", setting), Sentence("better_address", setting)
    for needs in _candidates(job, settings, probe, left):
        if needs.gpu and not _wants_gpu(settings, probe):
            continue
        lack = _lacks(needs, probe, left)
        if lack is None:
            model = needs.weights[0] if job == "chat" else ""
            return Choice(job, needs.name, _why(needs, probe), missing, better, True, model), needs.gpu
        if needs.advised:
            missing, better = missing or lack, better or _remedy(needs, lack)
    return Choice(job, EMBEDDED[job], Sentence("why_embedded"), missing, better, automatic=True), 0


def _wants_gpu(settings: Settings, probe: Probe) -> bool:
    """Whether GPU engines are looked at: to be taken, or, where they were asked for, to be missed."""
    return settings.profile == "gpu" or (settings.profile != "cpu" and _gpu_memory(settings, probe) > 0)


def _gpu_memory(settings: Settings, probe: Probe) -> int:
    return 0 if probe.gpu is None or settings.device == "cpu" else probe.gpu.free


def _why(needs: Needs, probe: Probe) -> Sentence:
    if needs.gpu and probe.gpu is not None:
        return Sentence("why_gpu", {"gpu": probe.gpu.name, "free": _gigabytes(probe.gpu.free)})
    if needs.environment:
        return Sentence("why_environment", {"engine": needs.title})
    if probe.models.intersection(needs.weights):
        return Sentence("why_here", {"engine": needs.title})
    return Sentence("why_hub", {"engine": needs.title, "hub": HUB_NAMES[probe.hub]})


def _lacks(needs: Needs, probe: Probe, left: int) -> Sentence | None:
    """What keeps an engine from running here, the hardest to mend first; ``left`` is GPU memory in bytes."""
    named = {"engine": needs.title}
    if needs.gpu and not left:
        return Sentence("lacks_gpu", named)
    if needs.gpu > left:
        return Sentence("lacks_gpu_memory", {**named, "needed": _gigabytes(needs.gpu), "free": _gigabytes(left)})
    if absent := [name for name in needs.packages if name not in probe.packages]:
        return Sentence("lacks_packages", {**named, "packages": ", ".join(absent)})
    if needs.gpu and "torch" in needs.packages and not probe.torch_cuda:
        return Sentence("lacks_cuda", named)
    if needs.environment and needs.environment not in probe.environments:
        return Sentence("lacks_environment", named)
    if needs.weights and not (probe.hub or probe.models.intersection(needs.weights)):
        return Sentence("lacks_weights", {**named, "folder": f"models/{needs.weights[0]}"})
    return None


def _remedy(needs: Needs, lack: Sentence) -> Sentence | None:
    """The one command that brings what is missing, where a command can. Weights come by themselves, or not at all."""
    commands = {
        "lacks_packages": _GPU_PACKAGES if needs.gpu else _PACKAGES,
        "lacks_environment": _ENVIRONMENT.format(needs.environment),
    }
    if lack.key not in commands:
        return None
    return Sentence("better_command", {"engine": needs.title, "command": commands[lack.key]})


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}"
