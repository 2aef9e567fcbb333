"""Arrays and plain facts as files of an artefact: `.npz` without objects, JSON."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of an `.npz` file.

    >>> unpack_arrays(pack_arrays({"a": np.arange(3)}))["a"].tolist()
    [0, 1, 2]
    """
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz` file; ArtefactError where it is none or holds objects."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, zipfile.BadZipFile, KeyError) as broken:
        raise ArtefactError(f"arrays of the model cannot be read: {broken}", fix="train the model again") from broken


def pack_facts(facts: Mapping[str, Any]) -> bytes:
    """The bytes of a JSON file."""
    return json.dumps(facts, ensure_ascii=True, sort_keys=True).encode()


def unpack_facts(content: bytes) -> dict[str, Any]:
    """The facts of a JSON file; ArtefactError where it is none."""
    try:
        facts = json.loads(content)
    except ValueError as broken:
        raise ArtefactError(f"facts of the model cannot be read: {broken}", fix="train the model again") from broken
    if not isinstance(facts, dict):
        raise ArtefactError("facts of the model are no object", fix="train the model again")
    return facts
