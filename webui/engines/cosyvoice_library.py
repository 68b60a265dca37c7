"""CosyVoice as it is installed, whichever edition of the library and generation of the model: loaded and made safe.

The library differs: a prompt is a 16 kHz tensor in one edition and a file's path in another, one wants ``final=True``
to take the checkpoint as it was published, one writes the end mark of an instruction itself. All of that ends here.
"""

from __future__ import annotations

import functools
import inspect
import logging
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from webui.audio.convert import resample
from webui.engines.cosyvoice_text import V1_TOKENS
from webui.engines.cosyvoice_voices import PLANS, generation
from webui.errors import ModelError
from webui.types import Audio

CLASSES = {3: "CosyVoice3", 2: "CosyVoice2", 1: "CosyVoice"}
SWITCHES = {"fp16": "fp16", "trt": "load_trt", "vllm": "load_vllm"}
PROMPT_RATE = 16_000
_SEEDS = {"random.seed", "numpy.random.seed", "torch.manual_seed", "torch.cuda.manual_seed_all"}
_PACKAGES = ("cosyvoice", "matcha", "whisper")


class Library:
    """One loaded checkpoint. ``model`` is the library's inner model, ``rate`` its sampling rate in Hz.

    ``switches`` are the names of ``SWITCHES`` that are wanted. Raises ``ModelError``.
    """

    def __init__(self, folder: Path, switches: tuple[str, ...] = ()) -> None:
        import torch

        self.generation = generation(folder)
        if not self.generation:
            raise ModelError("cosyvoice_not_there", "There is no CosyVoice model in the folder that was chosen.")
        self._torch = torch
        torch.load = functools.partial(torch.load, weights_only=True)  # whatever the library asks for
        cli = _module("cosyvoice.cli.cosyvoice")
        made_by = getattr(cli, CLASSES[self.generation], None)
        if made_by is None:
            raise ModelError(
                "cosyvoice_too_old",
                "CosyVoice 3 needs the code of its official repository: name a copy of it with --cosyvoice-code.",
            )
        check_plan(folder / PLANS[self.generation])
        taken = inspect.signature(made_by.__init__).parameters
        wanted: dict[str, Any] = {SWITCHES[name]: True for name in switches}
        if missing := [name for name in switches if SWITCHES[name] not in taken]:
            raise ModelError(
                "cosyvoice_no_switch",
                f"This CosyVoice has no {missing[0]}; leave out --cosyvoice-{missing[0]}.",
                name=missing[0],
            )
        if wanted and not torch.cuda.is_available():
            raise ModelError(
                "cosyvoice_no_gpu",
                f"--cosyvoice-{switches[0]} needs an NVIDIA GPU, and none is here; leave it out.",
                name=switches[0],
            )
        if "final" in taken:
            wanted["final"] = True
        frontend = _module("cosyvoice.cli.frontend")
        if hasattr(frontend, "ZhNormalizer"):
            _build_rules_once(frontend)
        self.api = made_by(str(folder), **wanted)
        logging.getLogger().setLevel(logging.WARNING)  # it logs what is said
        self.model = self.api.model
        self.frontend = self.api.frontend
        self.rate = int(self.api.sample_rate)
        self.device = str(self.model.device)
        self.instructs = self.generation > 1 or "instruct" in folder.name.lower()
        if self.instructs and hasattr(self.api, "instruct"):
            self.api.instruct = True  # it tells by the spelling of the folder's name
        self._by_path = "prompt_wav" in inspect.signature(self.api.inference_zero_shot).parameters
        if hasattr(frontend, "load_wav"):
            frontend.load_wav = self._load_wav  # its own reader is not there in newer torchaudio
        marks = "endofprompt" in inspect.getsource(type(self.frontend).frontend_instruct)
        self.v1_mark = "" if marks else "<|endofprompt|>"
        special = getattr(getattr(self.frontend, "tokenizer", None), "special_tokens", None) or {}
        listed = special.get("additional_special_tokens", V1_TOKENS)
        self.tokens = tuple(token for token in listed if not token.startswith("<|"))

    def knows(self, brackets: str) -> bool:
        """Whether each of ``brackets``, such as ``[q][ìng]``, is a token of the model."""
        return set(re.findall(r"\[[^\[\]]+\]", brackets)) <= set(self.tokens)

    @contextmanager
    def prompt(self, clip: Audio) -> Iterator[Any]:
        """``clip`` as this edition takes it; a file lives no longer than the block."""
        audio = resample(clip, PROMPT_RATE)
        if not self._by_path:
            yield self._torch.from_numpy(audio.samples)[None]
            return
        import soundfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "prompt.wav"
            soundfile.write(path, audio.samples, audio.rate, subtype="FLOAT")
            yield str(path)

    def embed(self, clip: Audio, text: str) -> Mapping[str, Any]:
        """A speaker as the library stores one, from a clip and the prompt text for it."""
        with self.prompt(clip) as prompt:
            self.api.add_zero_shot_spk(text, prompt, "clip")
        stored: Mapping[str, Any] = self.frontend.spk2info.pop("clip")
        return stored

    def told(self, speaker: Mapping[str, Any], instruction: str) -> dict[str, Any]:
        """``speaker`` with an instruction in place of its prompt text, which the library forgets to do."""
        tokens, count = self.frontend._extract_text_token(instruction)
        return {**speaker, "prompt_text": tokens, "prompt_text_len": count}

    @contextmanager
    def stored(self, speaker: Mapping[str, Any]) -> Iterator[str]:
        """A name for ``speaker`` within the block: a copy, as the library takes entries out of what it is given."""
        self.frontend.spk2info["now"] = dict(speaker)
        try:
            yield "now"
        finally:
            del self.frontend.spk2info["now"]

    def normal(self, text: str) -> str:
        """Numbers and signs as words."""
        written = self.frontend.text_normalize(text, split=False)
        return written if isinstance(written, str) else "".join(written)

    def _load_wav(self, path: str, target_sr: int, min_sr: int = PROMPT_RATE) -> Any:
        import soundfile

        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        mono = Audio(samples.mean(axis=1), rate)
        return self._torch.from_numpy(resample(mono, target_sr).samples)[None]


def _build_rules_once(frontend: Any) -> None:
    """Keep the rules for reading Chinese beside the packages: one edition builds them anew at every start, which takes
    half a minute, and writes over those that another process may be reading."""
    made_by = frontend.ZhNormalizer
    kept = Path(sys.prefix) / "share" / "cosyvoice-rules"
    kept.mkdir(parents=True, exist_ok=True)
    frontend.ZhNormalizer = lambda **options: made_by(**{**options, "overwrite_cache": False, "cache_dir": str(kept)})


def check_plan(path: Path) -> None:
    """Refuse a model's plan (HyperPyYAML) that would run anything but CosyVoice's own parts. Raises ``ModelError``.

    Its tags name Python objects to make or call; from a folder that was fetched, only those are taken which the library
    itself defines, and the setting of seeds.
    """
    import yaml

    try:
        tags = {node.tag for node in _nodes(yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader))}
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise _unsafe(path.name) from error
    for tag in tags:
        kind, _, target = tag.removeprefix("!").partition(":")
        if tag.startswith("tag:yaml.org,2002:") and "python" not in tag:
            continue
        if kind == "ref" and not target:
            continue
        if kind == "apply" and target in _SEEDS:
            continue
        if kind in ("new", "name") and (target == "omegaconf.DictConfig" or _own(target)):
            continue
        raise _unsafe(path.name)


def _nodes(node: Any, seen: set[int] | None = None) -> Iterator[Any]:
    seen = set() if seen is None else seen
    if node is None or id(node) in seen:  # an alias may come back to where it is
        return
    seen.add(id(node))
    yield node
    if node.id == "sequence":
        for child in node.value:
            yield from _nodes(child, seen)
    elif node.id == "mapping":
        for pair in node.value:
            for child in pair:
                yield from _nodes(child, seen)


def _own(target: str) -> bool:
    """Whether ``target`` is defined in the library: what its modules import from elsewhere is not."""
    module, _, name = target.rpartition(".")
    if not re.fullmatch(r"[A-Za-z_][\w.]*", target) or module.partition(".")[0] not in _PACKAGES:
        return False
    try:
        found = find_spec(module) and getattr(import_module(module), name, None)
    except (ImportError, ValueError):
        return False
    return str(getattr(found, "__module__", "")).partition(".")[0] in _PACKAGES


def _unsafe(name: str) -> ModelError:
    return ModelError(
        "cosyvoice_unsafe_plan",
        f"{name} asks for more than CosyVoice's own parts and is not loaded; fetch the model from its makers.",
        name=name,
    )


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        logging.getLogger(__name__).exception("importing %s failed", name)
        raise ModelError(
            "cosyvoice_not_installed",
            "CosyVoice cannot be imported in its environment; make that anew: bash scripts/engine_envs.sh cosyvoice",
        ) from error
