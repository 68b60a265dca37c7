"""Tensors out of a checkpoint: what is data is read, and nothing else is done."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from webui.engines.torch_file import read_tensors


class _Global:
    """Pickled, it is the call of a function by its name."""

    def __init__(self, call, *arguments) -> None:
        self._reduced = (call, arguments)

    def __reduce__(self):
        return self._reduced


class _Storage:
    """Pickled, it is a storage beside the pickle."""

    def __init__(self, key: str, values: np.ndarray, count: int | None = None) -> None:
        self.key = key
        self.values = values
        self.count = len(values) if count is None else count


class _Named(pickle._Pickler):
    """Names torch's functions without torch being there."""

    def __init__(self, stream, kind: str) -> None:
        super().__init__(stream, 2)
        self._kind = kind

    def persistent_id(self, thing):
        if isinstance(thing, _Storage):
            return ("storage", _TorchName("torch", self._kind), thing.key, "cpu", thing.count)
        return None

    def save(self, thing, save_persistent_id=True):
        if isinstance(thing, _TorchName):
            self.write(pickle.GLOBAL + f"{thing.module}\n{thing.name}\n".encode())
        elif isinstance(thing, _Tensor):
            self.save(_TorchName("torch._utils", "_rebuild_tensor_v2"))
            self.save((thing.storage, thing.offset, thing.shape, thing.strides, False, OrderedDict()))
            self.write(pickle.REDUCE)
        else:
            super().save(thing, save_persistent_id)


class _TorchName:
    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Tensor:
    def __init__(self, storage: _Storage, shape, strides, offset: int = 0) -> None:
        self.storage, self.shape, self.strides, self.offset = storage, shape, strides, offset


def checkpoint(path: Path, state: object, *storages: _Storage, kind: str = "FloatStorage") -> Path:
    stream = io.BytesIO()
    _Named(stream, kind).dump(state)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", stream.getvalue())
        for storage in storages:
            archive.writestr(f"archive/data/{storage.key}", storage.values.tobytes())
    return path


VALUES = np.arange(12, dtype=np.float32)


def test_tensors_are_read_as_they_are(tmp_path) -> None:
    storage = _Storage("0", VALUES)
    state = OrderedDict(
        whole=_Tensor(storage, (3, 4), (4, 1)),
        part=_Tensor(storage, (2, 1, 2), (2, 7, 1), 5),
        one=_Tensor(storage, (), ()),
    )
    found = read_tensors(checkpoint(tmp_path / "x.pt", state, storage))
    assert list(found) == ["whole", "part", "one"]
    np.testing.assert_array_equal(found["whole"], VALUES.reshape(3, 4))
    np.testing.assert_array_equal(found["part"], VALUES[5:9].reshape(2, 1, 2))
    assert found["one"].shape == () and found["whole"].dtype == np.float32


@pytest.mark.parametrize(
    "tensor",
    [
        _Tensor(_Storage("0", VALUES), (4, 3), (1, 4)),  # transposed
        _Tensor(_Storage("0", VALUES), (3, 4), (4, 1), 1),  # beyond the end
        _Tensor(_Storage("0", VALUES), (3, 4), (4, 1), -1),
        _Tensor(_Storage("0", VALUES, 13), (3, 4), (4, 1)),  # another length than it says
        _Tensor(_Storage("1", VALUES), (3, 4), (4, 1)),  # not in the archive
    ],
)
def test_a_tensor_that_is_not_what_it_says_is_refused(tmp_path, tensor: _Tensor) -> None:
    path = checkpoint(tmp_path / "x.pt", {"a": tensor}, _Storage("0", VALUES))
    with pytest.raises(ValueError, match="state dict"):
        read_tensors(path)


def test_nothing_that_the_file_names_is_run(tmp_path) -> None:
    target = tmp_path / "made"
    for call in (_Global(os.mkdir, str(target)), _Global(eval, f"__import__('os').mkdir({str(target)!r})")):
        with pytest.raises(ValueError, match="state dict"):
            read_tensors(checkpoint(tmp_path / "x.pt", {"a": call}))
    with pytest.raises(ValueError, match="state dict"):
        storage = _Storage("0", VALUES)
        read_tensors(checkpoint(tmp_path / "x.pt", {"a": storage}, storage, kind="load"))
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", pickle.dumps({"a": 1}), os.urandom(1000)])
def test_other_files_are_refused(tmp_path, content: bytes) -> None:
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(ValueError, match="state dict"):
        read_tensors(tmp_path / "x.pt")


def test_a_pickle_of_something_else_is_refused(tmp_path) -> None:
    for state in ({"a": 1}, [1], "a"):
        with pytest.raises(ValueError, match="state dict"):
            read_tensors(checkpoint(tmp_path / "x.pt", state))
