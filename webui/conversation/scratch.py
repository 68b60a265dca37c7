"""Where this process keeps what people record while it runs: one folder, gone when the process is gone.

A process that is stopped deletes its own folder. One that is killed cannot: the next one on the machine does it.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "funaudio-"
_LOCK = ".lock"  # held as long as the process lives; the system lets go of it however the process ends


@cache
def scratch() -> Path:
    """This process's folder, made and locked at the first call; the folders of dead processes are deleted then."""
    _sweep()
    folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
    lock = FileLock(Path(folder.name) / _LOCK)
    lock.acquire()
    _HELD.append((folder, lock))
    return Path(folder.name)


_HELD: list[tuple[tempfile.TemporaryDirectory[str], FileLock]] = []  # so that neither is let go before the process ends


def _sweep() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        lock = FileLock(folder / _LOCK)
        try:
            if not (folder / _LOCK).exists():
                continue  # another process is just making it
            with lock.acquire(timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except (Timeout, OSError):
            continue  # it is in use, or somebody else's
