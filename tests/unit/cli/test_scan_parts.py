"""The steps around a scan: what is wrong with an option's file is said with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.cli._scan_parts import check_own_addresses, read_role_file
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
