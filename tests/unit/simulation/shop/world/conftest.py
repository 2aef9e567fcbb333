"""One small world for all tests of it."""

import pytest

from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.simulation.shop.world import World


@pytest.fixture(scope="session")
def world() -> World:
    """A shop of about 2,700 customers in thirty days that hold 11 November and Black Friday."""
    return World(Scenario(events=200_000, seed=3))
