"""One ingest into a system at a time, over all processes. The lock dies with its holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tocsin.adapters.files import told
from tocsin.model.errors import EnvironmentFault

POLL_S = 0.05


@contextmanager
def alone(folder: Path, waiting: Callable[[], None], timeout_s: float) -> Iterator[None]:
    """Hold the folder's lock inside the block; `waiting` is called now and then while another process has it.

    Raises:
        EnvironmentFault: the other process does not finish in time.
    """
    path = folder / ".lock"
    with told(path):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(handle, path, waiting, timeout_s)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, waiting: Callable[[], None], timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                what = f"another process is still ingesting into {path.parent.name}"
                raise EnvironmentFault(what, "wait for it to finish and try again; nothing was written") from None
            waiting()
            time.sleep(POLL_S)
        else:
            return
