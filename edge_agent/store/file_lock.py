"""One process per database file: an advisory lock that the kernel frees when the process dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from edge_agent.ports import StoreError, StoreInUse
from edge_agent.store.database import give_to_owner_of_folder


class FileLock:
    """On `<file>.lock`, taken when made. Raises StoreInUse naming who holds it, StoreError where there can be none."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._descriptor: int | None = None
        try:
            path.absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"{path}: its folder can't be written ({error.strerror}); create {path.absolute().parent} and give it "
                "to the user of the service (chown), or correct store.path"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreInUse(
                f"{path}: in use by process {holder}; stop it first (systemctl stop edge-agent), then try again"
            ) from error
        self._descriptor = descriptor
        with suppress(OSError):  # somebody else's lock file: it works all the same
            give_to_owner_of_folder(descriptor, path)
        with suppress(OSError):  # a full disk may refuse the number: it is only for the message above
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Free the lock; safe to call twice. The lock file stays: removing it would race with another start."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
