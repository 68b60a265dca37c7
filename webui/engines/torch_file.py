"""Tensors out of a PyTorch checkpoint, without PyTorch and without running anything that the file says.

A checkpoint is a zip archive: a pickle that describes the tensors, and their raw bytes as members beside it. A pickle
can name any function to be called while it is read. Here four names are known, all of them harmless, and every other
is refused.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_TYPES: Mapping[str, Any] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_BROKEN = (
    pickle.UnpicklingError, zipfile.BadZipFile, AttributeError, EOFError, IndexError, KeyError, RuntimeError, TypeError
)  # fmt: skip
"""What pickle and zipfile raise over files that are damaged or something else."""


def read_tensors(path: Path) -> dict[str, Array]:
    """The tensors of the state dict at ``path``, by name, read-only.

    Raises ``ValueError`` where the file is anything else, ``OSError`` where it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (pickled,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            with archive.open(pickled) as stream:
                found = _Reader(stream, archive, pickled.removesuffix("data.pkl")).load()
    except _BROKEN as error:
        raise ValueError("not a state dict of plain tensors") from error
    if not isinstance(found, dict) or not all(isinstance(value, np.ndarray) for value in found.values()):
        raise ValueError("not a state dict of plain tensors")
    return found


class _Reader(pickle.Unpickler):
    """An unpickler that makes dicts of arrays, and nothing else."""

    def __init__(self, stream: IO[bytes], archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(stream)
        self._archive = archive
        self._folder = folder

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is not data")

    def persistent_load(self, pid: Any) -> Array:
        kind, dtype, key, _, count = pid
        if kind != "storage":
            raise pickle.UnpicklingError("not a storage")
        values = np.frombuffer(self._archive.read(f"{self._folder}data/{key}"), dtype)
        if len(values) != count:
            raise pickle.UnpicklingError("a storage has another length than it says")
        return values


def _tensor(storage: Array, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> Array:
    """What ``_rebuild_tensor_v2`` makes, where its numbers lie one behind the other; gradients have no meaning here."""
    in_order = tuple(prod(shape[i + 1 :]) for i in range(len(shape)))
    if any(size > 1 and own != want for size, own, want in zip(shape, strides, in_order, strict=True)):
        raise pickle.UnpicklingError("a tensor is not contiguous")
    if offset < 0 or offset + prod(shape) > len(storage):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    return storage[offset : offset + prod(shape)].reshape(shape)
