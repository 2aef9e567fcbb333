"""Rule files of a folder, read with care: size, encoding, names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from floorwalker.detectors.rules.faults import Fault
from floorwalker.detectors.rules.limits import Limits
from floorwalker.detectors.rules.rule import ID
from floorwalker.errors import InputError

SUFFIX = ".yaml"

STARTER = Path(__file__).parent / "starter"
"""The rules that come with Floorwalker, in a folder for each abuse type."""


def read_sources(source: Path | Mapping[str, str], limits: Limits) -> tuple[dict[str, str], list[Fault]]:
    """Texts by path below the folder, in alphabetical order, with what is wrong with the files themselves.

    A folder that is missing raises `InputError`. Files whose names begin with a dot are left alone.
    """
    faults: list[Fault] = []
    texts = dict(sorted(source.items())) if isinstance(source, Mapping) else _read_folder(source, limits, faults)
    if len(texts) > limits.rules:
        raise InputError(f"{len(texts)} rule files", allowed=f"{limits.rules} at most")
    for file in texts:
        if not ID.match(file.removesuffix(SUFFIX).replace("/", ".")):
            message = "the path is the rule's id; allowed: lower-case letters, digits and _, beginning with a letter"
            faults.append(Fault(file, 1, 1, message))
    return texts, faults


def _read_folder(folder: Path, limits: Limits, faults: list[Fault]) -> dict[str, str]:
    if not folder.is_dir():
        raise InputError(f"no folder of rules: {folder}", fix="give the folder that holds the *.yaml files")
    texts: dict[str, str] = {}
    count = 0
    # Links to folders are not followed, so a folder cannot hold itself.
    for path in sorted(folder.rglob("*")):
        file = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in Path(file).parts) or not path.is_file():
            continue
        if path.suffix == ".yml":
            faults.append(Fault(file, 1, 1, "rule files end in .yaml; rename it"))
        if path.suffix != SUFFIX:
            continue
        count += 1
        if count > limits.rules:
            raise InputError(f"more than {limits.rules} rule files in {folder}", allowed=f"{limits.rules} at most")
        # A character has at most four bytes.
        if path.stat().st_size > 4 * limits.file_characters:
            faults.append(Fault(file, 1, 1, f"the file is too large, allowed: {limits.file_characters} characters"))
            continue
        try:
            texts[file] = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault(file, 1, 1, f"cannot be read as UTF-8: {error}"))
    return texts
