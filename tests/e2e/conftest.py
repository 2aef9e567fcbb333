"""A real server process for the tests of this folder, started on a free port and ended by its own pid."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from floorwalker.evaluation.benchmarks.decisions import serve
from floorwalker.testing.shop_server import Shop, create_key


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop") / "data"
    key = create_key(folder)
    with (
        serve(folder, core=None, options=[]) as (port, _),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        yield Shop(folder, client, key)
