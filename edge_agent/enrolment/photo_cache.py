"""What photographs showed, kept encrypted, so that a second build is quick and an interrupted one goes on where it was.

Layout: the line `AIDPHOTOS 1`, then records: length (4 bytes, big-endian), nonce, AES-256-GCM ciphertext of
`fingerprint(32) photo SHA-256(32) kind(1) body`; body is the probe as little-endian float32 or the reason in UTF-8.

Rules: no image, path, id or name is in it. A photograph counts as seen only by the same models and bounds
(fingerprint). A torn end is cut off. Whoever is no longer in the list is forgotten at the end of a whole build
(`keep_only_used`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge_agent.enrolment.photos import PhotoTools, Seen
from edge_agent.key_files import derive
from edge_agent.ports import EmbedderId, RosterError

SUFFIX = ".photo-cache"
MAGIC = b"AIDPHOTOS 1\n"
LARGEST_RECORD_BYTES = 65_536
_NONCE_BYTES = 12
_HASH_BYTES = 32
_FLOAT32 = np.dtype("<f4")
_PROBE, _REASON = b"p", b"r"


class PhotoCache:
    """The file, locked while it is open."""

    def __init__(self, path: Path, secret: bytes, fingerprint: str) -> None:
        """secret: a key of the office. fingerprint: 64 hex digits that name models and bounds. Raises RosterError."""
        self._path, self._fingerprint = path, bytes.fromhex(fingerprint)
        self._aead = AESGCM(derive(secret, "photo cache"))
        self._seen: dict[bytes, Seen] = {}
        self._used: set[bytes] = set()
        self._stale = False
        self._file = self._open()

    def get(self, photo: bytes) -> Seen | None:
        """What this photograph (SHA-256) showed."""
        self._used.add(photo)
        return self._seen.get(photo)

    def put(self, photo: bytes, seen: Seen) -> None:
        """Remember it, on disk too. Raises RosterError."""
        self._used.add(photo)
        self._seen[photo] = seen
        try:
            self._file.write(self._record(photo, seen))
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from error

    def keep_only_used(self) -> None:
        """Forget whoever was not asked for since the file was opened. Raises RosterError."""
        forgotten = self._seen.keys() - self._used
        if not forgotten and not self._stale:
            return
        partial = self._path.with_name(self._path.name + ".partial")
        try:
            descriptor = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(MAGIC)
                for photo, seen in self._seen.items():
                    if photo in self._used:
                        file.write(self._record(photo, seen))
            partial.replace(self._path)
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Unlock."""
        self._file.close()

    def _open(self) -> BinaryIO:
        try:
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            file = os.fdopen(descriptor, "r+b")
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            whole = self._read(file)
            file.seek(whole)
            file.truncate()
            if not whole:
                file.write(MAGIC)
                file.flush()
        except BlockingIOError as error:
            file.close()
            raise RosterError(f"{self._path}: another build is at work here; wait for it, or give --cache") from error
        except BaseException:
            file.close()
            raise
        return file

    def _read(self, file: BinaryIO) -> int:
        """Take in every whole record; how many bytes of the file are good."""
        content = file.read()
        if not content:
            return 0
        if not content.startswith(MAGIC):
            raise RosterError(f"{self._path}: is no photo cache; choose another file with --cache")
        at = len(MAGIC)
        while at + 4 <= len(content):
            (length,) = struct.unpack_from(">I", content, at)
            sealed = content[at + 4 : at + 4 + length]
            if length > LARGEST_RECORD_BYTES or len(sealed) < length:
                break
            # Of another key, or damaged: what follows can't be trusted to be whole, so it is looked at again.
            try:
                plain = self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], MAGIC)
            except (InvalidTag, ValueError):
                break
            self._take(plain)
            at += 4 + length
        return at

    def _take(self, plain: bytes) -> None:
        fingerprint, photo = plain[:_HASH_BYTES], plain[_HASH_BYTES : 2 * _HASH_BYTES]
        kind, body = plain[2 * _HASH_BYTES : 2 * _HASH_BYTES + 1], plain[2 * _HASH_BYTES + 1 :]
        if fingerprint != self._fingerprint:
            self._stale = True
        elif kind == _PROBE:
            self._seen[photo] = Seen(np.frombuffer(body, _FLOAT32).astype(np.float32))
        else:
            self._seen[photo] = Seen(None, body.decode("utf-8"))

    def _record(self, photo: bytes, seen: Seen) -> bytes:
        if seen.probe is not None:
            body = _PROBE + np.ascontiguousarray(seen.probe, _FLOAT32).tobytes()
        else:
            body = _REASON + seen.reason.encode()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._aead.encrypt(nonce, self._fingerprint + photo + body, MAGIC)
        return struct.pack(">I", len(sealed)) + sealed

    def _unwritable(self, error: OSError) -> RosterError:
        return RosterError(
            f"{self._path}: can't be written ({error.strerror}); choose another place with --cache, or --no-cache"
        )


class CachedLooker:
    """Looks at what was not seen before; the models are loaded only for that."""

    def __init__(self, cache: PhotoCache, embedder: EmbedderId, open_tools: Callable[[], PhotoTools]) -> None:
        self._cache, self._embedder, self._open_tools = cache, embedder, open_tools
        self._tools: PhotoTools | None = None

    @property
    def embedder(self) -> EmbedderId:
        """What makes the probes."""
        return self._embedder

    def look(self, path: Path) -> Seen:
        """As remembered, or by looking."""
        try:
            photo = hashlib.sha256(path.read_bytes()).digest()
        except OSError as error:
            return Seen(None, f"can't be read ({error.strerror}); check the name and its permissions")
        if (seen := self._cache.get(photo)) is not None:
            return seen
        if self._tools is None:
            self._tools = self._open_tools()
        seen = self._tools.look(path)
        self._cache.put(photo, seen)
        return seen

    def close(self) -> None:
        """Free the models, if they were loaded. The cache stays open, for `keep_only_used`."""
        if self._tools is not None:
            self._tools.close()
