"""What a scan saves for tomorrow: routes, model, and who came on the days before. Arrays only, no pickle."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.features.routes import RouteTable
from floorwalker.scan.model import VisitorModel
from floorwalker.scan.visitor_days import History

VERSION = 2
MAGIC = "floorwalker scan state"
MOST_BYTES = 4 << 30
"""Unpacked bytes of a state that is still read: five million visitors on each of eight days take 0.6 GB."""

_HEAD_BYTES = 1 << 16


@dataclass
class SiteState:
    """What is known of a site.

    Parameters
    ----------
    routes : which of its URLs are of one type.
    model : what is usual there.
    history : which visitors came on which of the latest days.
    """

    routes: RouteTable
    model: VisitorModel
    history: History

    def save(self, path: Path) -> None:
        """Write one file, or none: an interrupted save leaves the old file as it was."""
        arrays: dict[str, NDArray[np.generic]] = {
            f"routes/{name}": np.asarray(values) for name, values in self.routes.state().items()
        }
        arrays |= {f"model/{name}": values for name, values in self.model.state().items()}
        arrays |= {f"history/{name}": values for name, values in self.history.state().items()}
        head = {"magic": MAGIC, "version": VERSION, "digest": _digest(arrays)}
        arrays["format"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        # A link stays a link, and what it leads to is replaced; a device or pipe is no place for a state.
        path = path.resolve()
        if path.exists() and not path.is_file():
            raise UsageError(f"cannot save to {path}: it is no file", fix="give a file in a folder you may write")
        part = path.with_name(path.name + ".part")
        try:
            part.write_bytes(buffer.getvalue())
            part.replace(path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise UsageError(
                f"cannot save to {path}: {error.strerror}", fix="give a file in a folder you may write"
            ) from error

    @classmethod
    def load(cls, path: Path) -> SiteState:
        """Read what `save` wrote; anything else raises `ArtefactError`, and nothing in the file is ever executed."""
        try:
            with path.open("rb") as file:
                arrays = _read(file, path)
        except FileNotFoundError as error:
            raise UsageError(f"no saved state at {path}", fix="make one with --save") from error
        except (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
            raise ArtefactError(f"{path} is no saved scan state ({error})", fix="make one with --save") from error

        def part(name: str) -> dict[str, NDArray[np.generic]]:
            return {
                key.removeprefix(name + "/"): values for key, values in arrays.items() if key.startswith(name + "/")
            }

        try:
            return cls(
                RouteTable.from_state(part("routes")),
                VisitorModel.from_state(part("model")),
                History.from_state(part("history")),
            )
        except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
            raise ArtefactError(f"{path} is damaged ({error})", fix="train again with --save") from error


def _read(file: BinaryIO, path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays of a state, once its head, size and digest are what they must be."""
    if not zipfile.is_zipfile(file):
        raise ValueError("it is no archive of arrays")
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        sizes = {item.filename: item.file_size for item in archive.zip.infolist()}
        if sizes.get("format.npy", 0) > _HEAD_BYTES or sum(sizes.values()) > MOST_BYTES:
            raise ValueError("it unpacks to more than any state holds")
        head = json.loads(np.asarray(archive["format"]).tobytes())
        if not isinstance(head, dict) or head.get("magic") != MAGIC:
            raise ValueError("another program wrote it")
        if head.get("version") != VERSION:
            raise ArtefactError(
                f"{path} has version {head.get('version')!r}", allowed=str(VERSION), fix="train again with --save"
            )
        arrays = {name: archive[name] for name in archive.files if name != "format"}
    if head.get("digest") != _digest(arrays):
        raise ArtefactError(f"{path} is damaged: its digest does not fit", fix="train again with --save")
    return arrays


def _digest(arrays: Mapping[str, NDArray[np.generic]]) -> str:
    """What tells a state from one with a single bit changed: kernels trust the shapes that they are given."""
    total = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        total.update(f"{name}\0{values.dtype.str}\0{arrays[name].shape}\0".encode())
        total.update(values.reshape(-1).view(np.uint8).data)
    return total.hexdigest()
