from __future__ import annotations

import pytest

from floorwalker.errors import UsageError
from floorwalker.server.keyring import KeyRing
from floorwalker.server.keys import SCOPES, ApiKey, make_key, matches, split_key
from floorwalker.server.problems import ProblemError
from floorwalker.server.rates import RateLimits

SECOND = 1_000_000


def ring(*keys: ApiKey) -> KeyRing:
    made = KeyRing(lambda: keys)
    made.renew()
    return made


def test_a_key_is_kept_as_a_hash_and_no_two_are_alike() -> None:
    made = [make_key("till", ["decide"], now=0) for _ in range(50)]
    assert len({text for _, text in made}) == len({key.id for key, _ in made}) == 50
    for key, text in made:
        _, secret = split_key(text)
        assert len(secret) >= 43
        assert secret.encode() not in key.hash
        assert matches(key, text)
        assert not matches(key, text[:-1])
        assert not matches(None, text)


@pytest.mark.parametrize("scopes", [[], ["decide", "fly"]])
def test_scopes_that_do_not_exist_are_refused(scopes: list[str]) -> None:
    with pytest.raises(UsageError, match="ingest, decide"):
        make_key("x", scopes, now=0)


def test_each_scope_opens_itself_only_and_admin_opens_all() -> None:
    for scope in SCOPES:
        key, text = make_key("x", [scope], now=0)
        keys = ring(key)
        for other in SCOPES:
            if other == scope or scope == "admin":
                assert keys.check(text, other, now=1).id == key.id
            else:
                with pytest.raises(ProblemError) as refused:
                    keys.check(text, other, now=1)
                assert refused.value.status == 403


def test_wrong_expired_and_missing_keys_get_the_same_answer() -> None:
    key, text = make_key("x", ["read"], now=0, expires_at=10 * SECOND)
    keys = ring(key)
    assert keys.check(text, "read", now=10 * SECOND - 1).name == "x"
    said = set()
    for wrong, now in ((text, 10 * SECOND), (text + "a", 0), ("fw_000000000000_a", 0), ("x", 0)):
        with pytest.raises(ProblemError) as refused:
            keys.check(wrong, "read", now=now)
        assert refused.value.status == 401
        assert "WWW-Authenticate" in refused.value.headers
        said.add(str(refused.value))
    assert len(said) == 1
    with pytest.raises(ProblemError, match="no API key"):
        keys.check("", "read", now=0)


def test_a_key_beyond_its_rate_is_told_when_to_come_back() -> None:
    key, text = make_key("x", ["read"], now=0, rate_per_second=3)
    since = [7]
    keys = KeyRing(lambda: [key], clock=lambda: since[0])
    keys.renew()
    for _ in range(3):
        keys.check(text, "read", now=0)
    with pytest.raises(ProblemError) as refused:
        keys.check(text, "read", now=0)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
    # The time by which keys expire stands still where the clock was set back; the rate does not wait for it.
    since[0] += SECOND // 3 + 1
    keys.check(text, "read", now=0)


def test_rates_forget_whom_they_have_not_seen_for_long_and_survive_a_clock_going_back() -> None:
    limits = RateLimits(most_buckets=2)
    assert limits.take("a", 1, now=10 * SECOND) == 0.0
    assert limits.take("a", 1, now=5 * SECOND) == 1.0
    for name in ("b", "c"):
        limits.take(name, 1, now=5 * SECOND)
    assert limits.take("a", 1, now=5 * SECOND) == 0.0


def test_a_key_made_or_revoked_later_counts_after_the_renewal() -> None:
    stored: list[ApiKey] = []
    keys = KeyRing(lambda: stored)
    key, text = make_key("x", ["read"], now=0)
    with pytest.raises(ProblemError):
        keys.check(text, "read", now=0)
    stored.append(key)
    keys.renew()
    keys.check(text, "read", now=0)
    stored.clear()
    keys.renew()
    with pytest.raises(ProblemError):
        keys.check(text, "read", now=0)
