"""What a shop names itself is left out, and faults of its file are told all at once."""

from pathlib import Path

import polars as pl
import pytest

from floorwalker.errors import UsageError
from floorwalker.features.network import Networks
from floorwalker.scan.machines import Ignore, recognise

FILE = """
[[ignore]]
addresses = ["198.51.100.0/24", "2001:db8::/64"]
reason = "our office"

[[ignore]]
user_agents = ["ShopApp/*", "Loader/?.?"]
reason = "our app"

[[ignore]]
addresses = ["203.0.113.5"]
user_agents = ["curl/*"]
reason = "partner's import"

[[ignore]]
paths = ["/internal/*", "/ping"]
reason = "our own pages"
"""


@pytest.fixture
def ignore(tmp_path: Path) -> Ignore:
    path = tmp_path / "ignore.toml"
    path.write_text(FILE)
    return Ignore.read(path)


def test_visitors_are_left_out_with_the_reason(ignore: Ignore) -> None:
    rows = [
        ("198.51.100.9", "Mozilla/5.0", "our office"),
        ("2001:db8::77", None, "our office"),
        ("192.0.2.3", "shopapp/5.1 (iOS)", "our app"),
        ("192.0.2.3", "Loader/1.2", "our app"),
        ("203.0.113.5", "curl/8.0", "partner's import"),
        ("203.0.113.5", "Mozilla/5.0", None),
        ("192.0.2.3", "curl/8.0", None),
        ("192.0.2.3", "Loader/10.2", None),
        ("192.0.2.3", "My ShopApp/5", None),
    ]
    facts = pl.DataFrame([row[:2] for row in rows], schema={"client": pl.String, "user_agent": pl.String}, orient="row")
    answer = recognise(facts, networks=Networks.default(), ignore=ignore)
    assert answer["name"].to_list() == [row[2] for row in rows]
    assert set(answer["kind"].drop_nulls().to_list()) == {"ignored"}


def test_the_shops_word_goes_before_an_impostors_proof(ignore: Ignore) -> None:
    facts = pl.DataFrame({"client": ["198.51.100.9"], "user_agent": ["Googlebot/2.1"]})
    assert not recognise(facts, networks=Networks.default(), ignore=ignore)["impostor"].item()


def test_paths_are_matched_by_glob(ignore: Ignore) -> None:
    targets = pl.Series(["/internal/status?x=1", "/ping", "/ping/2", "/shop/internal/", None])
    assert ignore.match_targets(targets).tolist() == [True, True, False, False, False]
    assert Ignore().match_targets(targets).tolist() == [False] * 5


def test_globs_are_not_regular_expressions() -> None:
    ignore = Ignore.from_document({"ignore": [{"paths": ["/a.b(c)+*"], "reason": "x"}]})
    assert ignore.match_targets(pl.Series(["/a.b(c)+z", "/aXb(c)+z", "/a.bc"])).tolist() == [True, False, False]


def test_every_fault_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        "[other]\nx = 1\n[[ignore]]\nreason = 'nothing named'\n[[ignore]]\naddresses = ['192.0.2.0/99']\n"
        "[[ignore]]\nuser_agents = 'curl'\nreason = 'x'\ncolour = 'red'\n"
        "[[ignore]]\npaths = ['/a']\naddresses = ['192.0.2.1']\nreason = 'x'\n"
    )
    with pytest.raises(UsageError) as caught:
        Ignore.read(path)
    message = str(caught.value)
    for part in (
        "unknown table 'other'",
        "entry 1 names no",
        "entry 2 has no reason",
        "'192.0.2.0/99' is no address",
        "entry 3: user_agents is 'curl'",
        "entry 3 has an unknown key 'colour'",
        "entry 4 mixes paths",
    ):
        assert part in message


@pytest.mark.parametrize("content", [b"", b"ignore = 3", b"[[ignore", b"\xff\xfe", b"ignore = [1]"])
def test_unusable_files_are_usage_errors(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        Ignore.read(path)
    with pytest.raises(UsageError):
        Ignore.read(tmp_path / "missing.toml")
