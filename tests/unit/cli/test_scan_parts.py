"""The steps around a scan: what is wrong with an option's file is said with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.cli._scan_parts import check_outputs, check_own_addresses, read_role_file
from floorwalker.errors import UsageError


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('"/a" = "offer"\n"/deals/*" = "ofer"\n', ("roles.toml", "'ofer'", "(line 2)", "offer, login")),
        ("'x' = \"offer\"\n\n'/b' = 3\n", ("'x' begins neither", "'/b' has 3", "(line 1, line 3)")),
        ("nonsense\n", ("roles.toml", "line 1", '"/deals/*" = "offer"')),
        ("\xff", ("roles.toml",)),
        (None, ("roles.toml", "cannot be read", "check the path")),
    ],
)
def test_a_wrong_file_of_roles_is_wrong_use(content: str | None, says: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    if content is not None:
        path.write_text(content, encoding="latin-1")
    with pytest.raises(UsageError) as caught:
        read_role_file(path)
    assert caught.value.exit_code == 2
    for part in says:
        assert part in str(caught.value)


def test_a_right_file_of_roles_is_read(tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text('"/deals/*" = "offer"\n')
    assert read_role_file(path) == {"/deals/*": "offer"}


def test_every_wrong_own_address_is_named() -> None:
    check_own_addresses(["192.0.2.1", "2001:db8::/32"])
    with pytest.raises(UsageError, match=r"--own-address '300\.1\.1\.1', 'shop\.example'"):
        check_own_addresses(["300.1.1.1", "192.0.2.0/24", "shop.example"])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.log"
    path.write_text("a line\n")
    return path


def test_outputs_into_folders_that_exist_are_fine(log: Path, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("yesterday's")
    (tmp_path / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    check_outputs(
        [str(tmp_path / "*.log"), "-"],
        [
            ("--report", tmp_path / "report.html"),
            ("--output", tmp_path / "old.csv"),
            ("--output", tmp_path / "new.csv"),
            ("--save", tmp_path / "link.csv"),
        ],
    )


@pytest.mark.parametrize("name", ["a.log", "./a.log", "link.csv", "hard.csv", "folder/../a.log"])
def test_no_output_is_written_over_a_log(name: str, log: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(log)
    (tmp_path / "hard.csv").hardlink_to(log)
    for given in (str(log), str(tmp_path / "*.log")):
        with pytest.raises(UsageError, match=r"--output .* is a log that is read"):
            check_outputs([given], [("--output", tmp_path / name)])


def test_two_outputs_want_two_files(log: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--save and --output both name .*x\.csv"):
        check_outputs([str(log)], [("--output", tmp_path / "x.csv"), ("--save", tmp_path / "x.csv")])


@pytest.mark.parametrize("name", ["nowhere/x.csv", "a.log/x.csv"])
def test_a_missing_folder_is_said_before_the_log_is_read(name: str, log: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        check_outputs([str(log)], [("--output", tmp_path / name)])


def test_links_in_a_circle_are_no_traceback(log: Path, tmp_path: Path) -> None:
    (tmp_path / "one.csv").symlink_to(tmp_path / "two.csv")
    (tmp_path / "two.csv").symlink_to(tmp_path / "one.csv")
    check_outputs([str(log)], [("--output", tmp_path / "one.csv")])
