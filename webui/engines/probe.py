"""What this machine has: a GPU, memory, packages, environments, weights, a model hub. It looks, and never raises."""

from __future__ import annotations

import importlib.util
import locale
import logging
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from webui.config import ROOT, Settings

if TYPE_CHECKING:
    from webui.engines.store import ModelStore

log = logging.getLogger(__name__)

HUB_TIMEOUT_S = 1.5
GPU_TIMEOUT_S = 5.0
TORCH_TIMEOUT_S = 60.0
"""Importing torch from a cold disk takes long; only a machine with a GPU and without nvidia-smi waits for it."""

HUBS = ("modelscope", "huggingface")
HUB_NAMES = {"modelscope": "ModelScope", "huggingface": "Hugging Face"}
# Top-level modules that engines need beyond requirements.txt, or that may be missing where it was not installed whole.
PACKAGES = ("torch", "funasr", "transformers", "sherpa_onnx")

_SMI = ("--query-gpu=index,uuid,name,memory.free,memory.total", "--format=csv,noheader,nounits")
_ASK_TORCH = (
    "import torch; free, total = torch.cuda.mem_get_info(0);"
    "print(0, 'GPU-0', torch.cuda.get_device_name(0), free >> 20, total >> 20, sep=', ')"
)
_MIB = 1 << 20


@dataclass(frozen=True)
class Gpu:
    """The CUDA device that torch would take; memory in bytes."""

    name: str
    free: int
    total: int


@dataclass(frozen=True)
class Probe:
    """What was found.

    ``memory`` is the free memory in bytes. ``hub`` is the model hub to fetch from (``modelscope`` or ``huggingface``),
    empty where none answers. ``models`` are names of folders of weights that are here. ``packages`` are importable
    modules out of ``PACKAGES``; ``torch_cuda`` says whether the torch among them is built for CUDA. ``environments``
    are those of ``scripts/engine_envs.sh`` that are set up.
    """

    gpu: Gpu | None = None
    memory: int = 0
    hub: str = ""
    models: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    torch_cuda: bool = False
    environments: frozenset[str] = frozenset()


def look(settings: Settings, store: ModelStore, ask_hub: bool = True) -> Probe:
    """Look at this machine; a second or two at most where a hub or the GPU's driver does not answer."""
    import psutil

    with ThreadPoolExecutor(2) as pool:
        gpu = pool.submit(find_gpu)
        hub = pool.submit(find_hub, settings.lang) if ask_hub else None
        return Probe(
            memory=psutil.virtual_memory().available,
            models=models_here(settings, store),
            packages=frozenset(name for name in PACKAGES if importlib.util.find_spec(name) is not None),
            torch_cuda=_torch_is_for_cuda(),
            environments=frozenset({"cosyvoice"} if settings.cosyvoice_python or _is_set_up("cosyvoice") else ()),
            gpu=gpu.result(),
            hub=hub.result() if hub else "",
        )


def models_here(settings: Settings, store: ModelStore) -> frozenset[str]:
    """The catalogue's models of which every file lies in its folder, and other folders that somebody laid there.

    It says nothing of their content. The folder that the settings name for CosyVoice is among them, by that name.
    """
    here = {e.id for e in store.catalog.values() if all((store.root / e.id / f.name).is_file() for f in e.files)}
    laid = (path.name for path in store.root.glob("[!.]*/") if path.is_dir())
    here.update(name for name in laid if name not in store.catalog)
    if settings.cosyvoice_model and Path(settings.cosyvoice_model).is_dir():
        here.add(settings.cosyvoice_model)
    return frozenset(here)


def _is_set_up(environment: str) -> bool:
    """Whether ``scripts/engine_envs.sh`` has made it, to the end."""
    return (ROOT / ".cache" / f"env-{environment}" / ".made-from").exists()


# -- the hub ---------------------------------------------------------------------------------------------------------


def find_hub(lang: str = "auto") -> str:
    """The hub that answers within ``HUB_TIMEOUT_S``; of two, the one nearer to the person's language. Empty for none.

    The answer is remembered with those of ``webui.engines.download.reachable``, so that a fetch does not ask again.
    """
    from webui.engines.download import reachable
    from webui.engines.hub import hub_root

    order = HUBS if _is_chinese(lang) else HUBS[::-1]
    with ThreadPoolExecutor(len(order)) as pool:
        answers = pool.map(lambda hub: reachable(hub_root(hub), HUB_TIMEOUT_S), order)
        return next((hub for hub, answer in zip(order, answers, strict=True) if answer), "")


def _is_chinese(lang: str) -> bool:
    if lang != "auto":
        return lang == "zh"
    said = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), None)
    return (said or locale.getlocale()[0] or "").lower().startswith(("zh", "chinese"))


# -- the GPU ---------------------------------------------------------------------------------------------------------


def find_gpu() -> Gpu | None:
    """The first CUDA device that this process may use: as nvidia-smi tells it, else as torch does where it is here."""
    listed = _said_by(["nvidia-smi", *_SMI], GPU_TIMEOUT_S)
    if listed is None and _has_driver() and _torch_is_for_cuda():
        listed = _said_by([sys.executable, "-c", _ASK_TORCH], TORCH_TIMEOUT_S)
        return read_gpus(listed or "", None)
    return read_gpus(listed or "", os.environ.get("CUDA_VISIBLE_DEVICES"))


def read_gpus(listed: str, visible: str | None) -> Gpu | None:
    """The first visible GPU of ``listed``, lines of "index, UUID, name, free MiB, total MiB".

    ``visible`` is CUDA_VISIBLE_DEVICES: indices or beginnings of UUIDs; None where it is not set. A GPU whose memory
    is not told (one that is split into instances) is passed over.
    """
    gpus: dict[str, Gpu] = {}
    names: dict[str, str] = {}
    for line in listed.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) != 5 or not (parts[3].isdigit() and parts[4].isdigit()):
            continue
        index, uuid, name, free, total = parts
        gpus[index] = Gpu(name, int(free) * _MIB, int(total) * _MIB)
        names[uuid] = index
    if visible is None:
        return next(iter(gpus.values()), None)
    first = visible.split(",")[0].strip()
    index = next((index for uuid, index in names.items() if first and uuid.startswith(first)), first)
    return gpus.get(index)


def _said_by(command: list[str], timeout_s: float) -> str | None:
    """What a command prints; None where it is not there, fails, or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        log.debug("%s: %s", command[0], error)
        return None
    return done.stdout


def _has_driver() -> bool:
    return Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists()


def _torch_is_for_cuda() -> bool:
    """Whether the torch that is installed is built for CUDA: it says so in a file, and importing it takes seconds."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        said = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError as error:
        log.debug("torch does not say what it is built for: %s", error)
        return False
    return re.search(r"^cuda\b[^=\n]*=\s*['\"]\d", said, re.MULTILINE) is not None
