"""Settings, signatures and the gathering of the collector."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from floorwalker.errors import UsageError
from floorwalker.events.event import Event
from floorwalker.server.collector.gathering import Gathering
from floorwalker.server.collector.settings import KEY_FILE, CollectorSettings, read_secret, read_settings
from floorwalker.server.collector.signing import is_signed_session, make_id, read_id, sign
from floorwalker.server.engine import IngestJob
from floorwalker.server.problems import ProblemError

SECRET = b"sixteen bytes or more"


def _write(folder: Path, text: str) -> CollectorSettings:
    (folder / "collector.toml").write_text(text)
    return read_settings(folder)


def test_without_a_file_nobody_may_send(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == CollectorSettings()
    assert read_settings(tmp_path).origins == ()


def test_settings_are_read(tmp_path: Path) -> None:
    found = _write(tmp_path, 'origins = ["https://shop.example.com"]\nper_client = 2\nshop = "north"')
    assert (found.origins, found.per_client, found.shop) == (("https://shop.example.com",), 2, "north")


@pytest.mark.parametrize(
    "text",
    [
        "origins = 1",
        'origins = ["*"]',
        'origins = ["https://*.example.com"]',
        'origins = ["https://shop.example.com/"]',
        'origins = ["shop.example.com"]',
        "orgins = []",
        "per_client = 0",
        "per_client = 9\nin_all = 5",
        'shop = ""',
        "= 5",
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="allowed"):
        _write(tmp_path, text)


def test_the_secret_stays_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = read_secret(tmp_path, b"state")
    path = tmp_path / KEY_FILE
    assert path.read_bytes() == first == read_secret(tmp_path, b"state")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_secret(tmp_path, b"another") != first
    assert b"state" not in first


def test_ids_and_sessions_are_bound_to_kind_shop_and_secret() -> None:
    signed = make_id(SECRET, "north")
    name = signed.partition(".")[0]
    assert read_id(SECRET, "north", signed) == name
    for shop, secret, text in (
        ("south", SECRET, signed),
        ("north", b"another secret here", signed),
        ("north", SECRET, name),
        ("north", SECRET, name + "."),
        ("north", SECRET, name + "." + sign(SECRET, "session", "north", name)),
        ("north", SECRET, signed + "A"),
        ("north", SECRET, ""),
        ("north", SECRET, "é.é"),
    ):
        assert read_id(secret, shop, text) is None
    proof = sign(SECRET, "session", "north", "s-1")
    assert is_signed_session(SECRET, "north", "s-1", proof)
    for shop, session, given in (
        ("south", "s-1", proof),
        ("north", "s-2", proof),
        ("north", "s-1", ""),
        ("north", "s-1", "é"),
    ):
        assert not is_signed_session(SECRET, shop, session, given)
    assert len({make_id(SECRET, "north") for _ in range(100)}) == 100


def _event(number: int) -> Event:
    return Event(id=f"e-{number}", type="client_signals", at=1, device="d")


def test_events_that_come_meanwhile_share_the_next_job() -> None:
    jobs: list[int] = []
    release = asyncio.Event()

    async def submit(job: IngestJob) -> None:
        jobs.append(len(job.events))
        await release.wait()

    async def run() -> None:
        gathering = Gathering(submit, most=50)
        first = asyncio.create_task(gathering.add(_event(0), ()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [asyncio.create_task(gathering.add(_event(number), ())) for number in range(1, 51)]
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as refused:
            await gathering.add(_event(99), ())
        assert refused.value.status == 503
        assert not first.done()
        release.set()
        await asyncio.gather(first, *others)

    asyncio.run(run())
    assert jobs == [1, 50]


def test_a_failure_reaches_those_who_wait_and_nobody_after_them() -> None:
    failures = [ProblemError(503, "full")]

    async def submit(job: IngestJob) -> None:
        await asyncio.sleep(0)
        if failures:
            raise failures.pop()

    async def run() -> None:
        gathering = Gathering(submit)
        met = await asyncio.gather(*(gathering.add(_event(n), ()) for n in range(3)), return_exceptions=True)
        assert [type(error) for error in met] == [ProblemError] * 3
        # A request that was cancelled meanwhile does not disturb the others.
        gone = asyncio.create_task(gathering.add(_event(4), ()))
        await asyncio.sleep(0)
        gone.cancel()
        await gathering.add(_event(5), ())

    asyncio.run(run())
