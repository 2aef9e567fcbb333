"""What a scan saves for tomorrow, and what it refuses to read."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.scan import state as states
from floorwalker.scan.job import ScanRequest, run_scan
from floorwalker.scan.state import SiteState
from floorwalker.settings import ScanSettings

FIRST = datetime(2021, 11, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    rng = np.random.default_rng(1)
    rows = sorted(
        (FIRST + timedelta(seconds=float(rng.uniform(0, 80_000))), f"203.0.113.{visitor}", f"/product/{page}")
        for visitor in range(40)
        for page in rng.integers(1, 90, 8)
    )
    lines = [f'{who} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET {page} HTTP/1.1" 200 5 "-" "UA"' for at, who, page in rows]
    (folder / "a.log").write_text("\n".join(lines) + "\n")
    outcome = run_scan(ScanRequest(paths=(str(folder / "a.log"),), settings=ScanSettings(map_sample=0)))
    outcome.state.save(folder / "site.npz")
    return folder / "site.npz"


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def as_text(document: object) -> np.ndarray:
    return np.frombuffer(json.dumps(document).encode(), np.uint8)


def test_what_was_saved_comes_back(saved: Path) -> None:
    state = SiteState.load(saved)
    again = saved.with_name("again.npz")
    state.save(again)
    first, second = arrays_of(saved), arrays_of(again)
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert np.array_equal(values, second[name]), name
    assert len(state.history.visitor) == 40
    assert not list(saved.parent.glob("*.part"))


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_byte_is_noticed(seed: int, saved: Path, tmp_path: Path) -> None:
    content = bytearray(saved.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(content), 12):
        content[place] ^= int(rng.integers(1, 256))
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(ArtefactError, match=r"bad\.npz"):
        SiteState.load(tmp_path / "bad.npz")


@pytest.mark.parametrize("length", [0, 1, 100, 0.5, 0.99])
def test_a_cut_file_is_noticed(length: float, saved: Path, tmp_path: Path) -> None:
    content = saved.read_bytes()
    (tmp_path / "bad.npz").write_bytes(content[: int(length * len(content)) if length < 1 else int(length)])
    with pytest.raises(ArtefactError, match=r"bad\.npz"):
        SiteState.load(tmp_path / "bad.npz")


def test_no_array_can_be_changed_without_notice(saved: Path, tmp_path: Path) -> None:
    whole = arrays_of(saved)
    for name, values in whole.items():
        if name == "format":
            continue
        for changed in (values.reshape(1, *values.shape), np.zeros((3, 3)), None):
            part = {key: changed if key == name else kept for key, kept in whole.items()}
            np.savez(tmp_path / "bad.npz", **{key: kept for key, kept in part.items() if kept is not None})
            with pytest.raises(ArtefactError, match="digest"):
                SiteState.load(tmp_path / "bad.npz")
    np.savez(tmp_path / "bad.npz", **whole, more=np.zeros(1))
    with pytest.raises(ArtefactError, match="digest"):
        SiteState.load(tmp_path / "bad.npz")


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ({"magic": states.MAGIC, "version": 1}, "version 1; allowed: 2; train again"),
        ({"magic": states.MAGIC, "version": 99}, "version 99"),
        ({"magic": "another", "version": 2}, "another program"),
        ([1], "another program"),
        ("x", "another program"),
    ],
)
def test_other_versions_and_programs_are_named(head: object, says: str, saved: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", **(arrays_of(saved) | {"format": as_text(head)}))
    with pytest.raises(ArtefactError, match=says):
        SiteState.load(tmp_path / "other.npz")


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.arange(4))
    np.savez(tmp_path / "foreign.npz", x=np.arange(4))
    np.savez(tmp_path / "pickled.npz", format=np.array([{}], object))
    (tmp_path / "text.npz").write_text("no state at all\n")
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as archive:
        archive.writestr("format.npy", b"no array")
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(ArtefactError, match=path.name):
            SiteState.load(path)
    with pytest.raises(UsageError, match="no saved state"):
        SiteState.load(tmp_path / "missing.npz")
    with pytest.raises(ArtefactError):
        SiteState.load(tmp_path)


def test_an_archive_that_unpacks_without_end_is_not_unpacked(saved: Path, tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (1 << 30,)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("format.npy", header.getvalue() + bytes(1 << 20))
    with pytest.raises(ArtefactError, match="more than any state"):
        SiteState.load(tmp_path / "bomb.npz")


def test_a_state_is_written_whole_or_not_at_all(saved: Path, tmp_path: Path) -> None:
    state = SiteState.load(saved)
    with pytest.raises(UsageError, match="cannot save"):
        state.save(tmp_path / "missing" / "site.npz")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot save"):
        state.save(tmp_path / "folder")
    link = tmp_path / "link.npz"
    link.symlink_to(tmp_path / "site.npz")
    state.save(link)
    assert link.is_symlink()
    assert SiteState.load(tmp_path / "site.npz").history.salt == state.history.salt
    assert not list(tmp_path.glob("*.part"))
