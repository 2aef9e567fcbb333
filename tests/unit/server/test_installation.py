"""What stands below an installation's folder is replaced whole, wherever a crash breaks it off."""

import os
from pathlib import Path

import pytest

from floorwalker.server.installation import Installation
from floorwalker.store._files import remove_folder, replace_folder


def folder(path: Path, text: str) -> Path:
    (path / "fusion").mkdir(parents=True)
    (path / "fusion" / "manifest.json").write_text(text)
    return path


def shown(installation: Installation) -> str:
    return (installation.trained / "fusion" / "manifest.json").read_text()


@pytest.mark.parametrize("before_rename", [1, 2])
def test_a_replacement_that_is_broken_off_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before_rename: int
) -> None:
    installation = Installation(tmp_path)
    place = folder(tmp_path / "trained", "old")
    ready = folder(tmp_path / "trained.new", "new")
    renamed, rename = [], Path.rename

    def stop(self: Path, target: Path) -> Path:
        renamed.append(self)
        if len(renamed) == before_rename:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(KeyboardInterrupt):
        replace_folder(ready, place)
    assert shown(installation) == "old"
    monkeypatch.undo()
    # The next attempt is not in the way of what was left.
    replace_folder(ready, place)
    assert shown(installation) == "new"
    assert sorted(os.listdir(tmp_path)) == ["trained"]


def test_a_removal_takes_what_was_left_with_it(tmp_path: Path) -> None:
    folder(tmp_path / "texts.old", "old")
    assert Installation(tmp_path).texts == tmp_path / "texts.old"
    remove_folder(tmp_path / "texts")
    assert not Installation(tmp_path).texts.exists()
