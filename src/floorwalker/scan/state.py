"""What a scan saves for tomorrow: routes, model, and who came on the days before. Arrays only, no pickle."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.features.routes import RouteTable
from floorwalker.scan.model import VisitorModel
from floorwalker.scan.visitor_days import History

VERSION = 1
MAGIC = "floorwalker scan state"


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
            "format": np.frombuffer(json.dumps({"magic": MAGIC, "version": VERSION}).encode(), np.uint8)
        }
        arrays |= {f"routes/{name}": np.asarray(values) for name, values in self.routes.state().items()}
        arrays |= {f"model/{name}": values for name, values in self.model.state().items()}
        arrays |= {f"history/{name}": values for name, values in self.history.state().items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        part = path.with_name(path.name + ".part")
        try:
            part.write_bytes(buffer.getvalue())
            part.replace(path)
        except OSError as error:
            raise UsageError(
                f"cannot save to {path}: {error.strerror}", fix="give a file in a folder you may write"
            ) from error

    @classmethod
    def load(cls, path: Path) -> SiteState:
        """Read what `save` wrote; anything else raises `ArtefactError`, and nothing in the file is ever executed."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            head = json.loads(arrays["format"].tobytes())
        except FileNotFoundError as error:
            raise UsageError(f"no saved state at {path}", fix="make one with --save") from error
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ArtefactError(f"{path} is no saved scan state ({error})", fix="make one with --save") from error
        if head.get("magic") != MAGIC or head.get("version") != VERSION:
            raise ArtefactError(
                f"{path} has version {head.get('version')!r}", allowed=str(VERSION), fix="train again with --save"
            )

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
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise ArtefactError(f"{path} is damaged ({error})", fix="train again with --save") from error
