"""Which Qwen fits into how much memory: names of the catalogue, by the memory that is free.

What a model needs is reckoned from its model card: parameters at two bytes each in bfloat16, or the size of its GGUF
file; on top, its cache for two conversations of 4,096 tokens (layers, heads and their width are on the card too), and
room to work in. Qwen3 4B and 8B have 36 layers, 1.7B 28 and 30B-A3B 48, each with 8 heads (30B-A3B: 4) of 128 for keys
and values; that makes 1.2, 1.2, 0.9 and 0.8 GB of cache.
"""

from __future__ import annotations

_GB = 10**9

# Free memory in bytes -> model, the most demanding first. What hears and what speaks take up to 2 GB beside it.
_GGUF = (
    (6 * _GB, "qwen3-4b-instruct-2507-gguf"),  # a file of 2.5 GB
    (4 * _GB, "qwen3-1.7b-gguf"),  # a file of 1.1 GB
)
# Free GPU memory in bytes -> model.
_TORCH = (
    (66 * _GB, "qwen3-30b-a3b-instruct-2507"),  # 30.5 billion parameters, 3.3 of them at work for each token
    (20 * _GB, "qwen3-8b"),  # 8.2 billion
    (11 * _GB, "qwen3-4b-instruct-2507"),  # 4.0 billion
    (6 * _GB, "qwen3-1.7b"),  # 1.7 billion
)


def gguf_for(memory_bytes: int) -> str:
    """The best GGUF for a CPU with so much free memory; empty where only the embedded model fits.

    No larger one is named, however much memory there is: on a CPU it would keep people waiting.
    """
    return _fitting(_GGUF, memory_bytes)


def torch_for(gpu_memory_bytes: int) -> str:
    """The best model for a GPU with so much free memory; empty where none fits."""
    return _fitting(_TORCH, gpu_memory_bytes)


def torch_bytes(model_id: str) -> int:
    """How much free GPU memory one of the presets wants; 0 for any other model."""
    return next((needed for needed, name in _TORCH if name == model_id), 0)


def _fitting(table: tuple[tuple[int, str], ...], memory: int) -> str:
    return next((model_id for needed, model_id in table if memory >= needed), "")
