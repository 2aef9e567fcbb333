"""Artefacts: written, checked, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from floorwalker.errors import ArtefactError
from floorwalker.models.artefacts import DEFAULT, MANIFEST, load_artefact, save_artefact
from floorwalker.models.onnx import OnnxModel


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_artefact(tmp_path / "a", name="toy", version=2, files={"weights.bin": b"12"}, facts={"seed": 7})
    return tmp_path / "a"


def test_what_was_saved_is_loaded(folder: Path) -> None:
    artefact = load_artefact(folder, name="toy", version=2)
    assert artefact.files == {"weights.bin": b"12"}
    assert artefact.manifest["seed"] == 7


def test_an_exchanged_file_is_refused(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"13")
    with pytest.raises(ArtefactError, match="not the file of its manifest"):
        load_artefact(folder, name="toy", version=2)


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "weights.bin").unlink()
    with pytest.raises(ArtefactError, match="cannot be read"):
        load_artefact(folder, name="toy", version=2)


@pytest.mark.parametrize(("name", "version"), [("other", 2), ("toy", 3)])
def test_another_name_or_version_is_refused(folder: Path, name: str, version: int) -> None:
    with pytest.raises(ArtefactError, match="is "):
        load_artefact(folder, name=name, version=version)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}'])
def test_a_broken_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(ArtefactError):
        load_artefact(folder, name="toy", version=2)


def test_a_manifest_cannot_point_outside_its_folder(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"] = {"../secret": {"sha256": "0"}}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ArtefactError, match="plain file names"):
        load_artefact(folder, name="toy", version=2)


def test_no_folder_is_a_clear_message(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no manifest"):
        load_artefact(tmp_path, name="toy", version=2)


def test_the_default_artefact_is_whole_and_small() -> None:
    artefact = load_artefact(DEFAULT / "routes", name="routes", version=1)
    assert sum(len(content) for content in artefact.files.values()) < 300_000
    assert artefact.manifest["training_command"].startswith("floorwalker train routes")
    assert len(artefact.manifest["data_sha256"]) == 64


def test_a_damaged_graph_is_refused() -> None:
    with pytest.raises(ArtefactError, match="cannot be loaded"):
        OnnxModel(b"not a graph")
