"""What an earlier training left in the folder of the models: it must not be taken for this one's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from floorwalker.models.artefacts import MANIFEST
from floorwalker.pipeline.models import PARTS


def remove_earlier(folder: Path) -> list[str]:
    """Remove the models of an earlier training, the fusion first; returns the names of those that were there.

    A training that ends early then leaves no fusion beside detectors that it did not learn from. Only folders with one
    of the parts' names and a manifest go; the recording, and the epochs that a broken-off training kept, stay.
    """
    found = [name for name in reversed(PARTS) if _is_written(folder / name)]
    for name in found:
        shutil.rmtree(folder / name)
    return found


def _is_written(part: Path) -> bool:
    """Whether training wrote this folder, rather than somebody who happens to use the name."""
    if part.is_symlink():
        return False
    try:
        manifest = json.loads((part / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and isinstance(manifest.get("files"), dict)
