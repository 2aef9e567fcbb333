"""Artefacts: a trained model as a folder of plain files, with a manifest of what they are and came from.

A manifest names every file with its SHA-256, so that a damaged or exchanged file is refused before anything is
loaded from it. Nothing is ever unpickled: an artefact is ONNX, arrays without objects, or JSON, and cannot run code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from floorwalker.errors import ArtefactError

MANIFEST = "manifest.json"
FORMAT = 1

DEFAULT = Path(__file__).parent / "default"
"""The artefacts that come with the package."""


@dataclass(frozen=True)
class Artefact:
    """A checked artefact.

    Parameters
    ----------
    name : what it is, e.g. `routes`.
    version : of the code that reads it; another version is refused.
    files : its files' bytes by name, checked against the manifest.
    manifest : the whole manifest: data fingerprint, metrics, training command.
    """

    name: str
    version: int
    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]


def save_artefact(
    folder: Path, *, name: str, version: int, files: Mapping[str, bytes], facts: Mapping[str, Any]
) -> None:
    """Write an artefact's files and its manifest.

    Parameters
    ----------
    folder : made where it does not exist; files of the same names are replaced.
    facts : what else the manifest says: data fingerprint, code version, metrics, training command.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    manifest = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "files": {
            file: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for file, content in sorted(files.items())
        },
        **facts,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def load_artefact(folder: Path, *, name: str, version: int) -> Artefact:
    """Read an artefact and check it.

    Errors
    ------
    ArtefactError : no manifest, not JSON, another format, name or version, a file that is missing, named with a path,
        or not the one that the manifest describes.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise ArtefactError(
            f"no {MANIFEST} in {folder}", fix="give the folder that training wrote, or leave it out for the default"
        ) from missing
    except (OSError, ValueError) as broken:
        raise ArtefactError(f"{path} cannot be read: {broken}", fix="train the model again") from broken
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ArtefactError(f"{path} is no manifest", allowed="an object with `files`", fix="train the model again")
    for key, wanted in (("format", FORMAT), ("name", name), ("version", version)):
        if manifest.get(key) != wanted:
            raise ArtefactError(
                f"{key} of {path} is {manifest.get(key)!r}", allowed=repr(wanted), fix="train the model again"
            )
    files: dict[str, bytes] = {}
    for file, facts in manifest["files"].items():
        if Path(file).name != file or not isinstance(facts, dict):
            raise ArtefactError(f"{path} names the file {file!r}", allowed="plain file names with their sha256")
        try:
            content = (folder / file).read_bytes()
        except OSError as missing:
            raise ArtefactError(f"{folder / file} cannot be read: {missing}", fix="train the model again") from missing
        if hashlib.sha256(content).hexdigest() != facts.get("sha256"):
            raise ArtefactError(
                f"{folder / file} is not the file of its manifest",
                allowed="the sha256 that the manifest states",
                fix="restore or train it again",
            )
        files[file] = content
    return Artefact(name, version, files, manifest)
