"""Models of funasr, loaded from a folder and nothing else: no hub, no code out of a folder, nothing left to chance."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from webui.errors import ModelError

MISSING = "This needs the Python package funasr, which is not installed: run `bash scripts/engine_envs.sh funasr`."


def pick_device(asked: str) -> str:
    """``cpu`` or ``cuda`` for what the settings ask; raises ``ModelError`` where CUDA was asked for and is not there.

    funasr itself would take the CPU without a word.
    """
    try:
        import torch
    except ImportError as error:
        raise ModelError("funasr_missing", MISSING) from error
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise ModelError("no_cuda", "No NVIDIA GPU can be used here; set --device to auto or cpu.")
    return "cuda" if there and asked != "cpu" else "cpu"


def load_checkpoint(folder: Path, device: str, threads: int, **options: Any) -> Any:
    """funasr's ``AutoModel`` of the checkpoint in ``folder``, on ``device``, in float32; ``options`` go to the model.

    Features are made without dither, so that the same sound gives the same words. Raises ``ModelError`` where funasr
    is missing, or the weights are broken, do not fit the configuration, or hold anything but weights.
    """
    # torch.load then takes tensors alone, whatever else the process or its environment has set.
    os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    try:
        from funasr import AutoModel
    except ImportError as error:
        raise ModelError("funasr_missing", MISSING) from error
    if not (folder / "model.pt").is_file() and not list(folder.glob("*.bin")):
        raise _broken(folder)  # funasr would go on with random weights
    level = logging.getLogger().level
    try:
        return AutoModel(
            model=str(folder),
            device=device,
            ncpu=threads,
            disable_update=True,
            disable_pbar=True,
            trust_remote_code=False,
            ignore_init_mismatch=False,
            frontend_conf={"dither": 0.0},
            log_level="WARNING",
            **options,
        )
    except Exception as error:  # funasr, torch and OmegaConf raise types of their own that share no base
        raise _broken(folder) from error
    finally:
        logging.getLogger().setLevel(level)


def _broken(folder: Path) -> ModelError:
    return ModelError(
        "checkpoint_broken",
        f"The model {folder.name} cannot be loaded: remove it with `python -m webui.models remove {folder.name}` "
        "and fetch it again.",
        name=folder.name,
    )
