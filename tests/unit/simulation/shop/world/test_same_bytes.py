"""The same scenario makes the same world, in every process and whatever Python's hashes are."""

import hashlib
import os
import subprocess
import sys

import numpy as np

from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.simulation.shop.world import World


def digest(seed: int = 11) -> str:
    """A hash of a good part of a world."""
    world = World(Scenario(events=30_000, seed=seed))
    rng = np.random.default_rng(1)
    parts = [
        repr(world.customers_as(np.arange(0, world.customers, 9))),
        repr(world.new_people(rng, 20, style="bulk+gmail_dots")),
        repr([world.new_device(rng, kind=kind) for kind in ("phone", "emulator", "desktop")]),
        repr([world.reviews(rng, item, 0.9, "honest", "de") for item in range(80)]),
        repr([world.listing_text(rng, item, "bait", "zh") for item in range(40)]),
        repr(world.items.title.tolist()), repr(world.items.price_minor.tolist()), repr(world.promotions),
        repr(world.calendar.moments), repr([world.networks.address(f"proxy/{place}", 10**15) for place in range(50)]),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def test_another_process_makes_the_same_world():
    code = (
        "import importlib.util as u, sys; s = u.spec_from_file_location('t', sys.argv[1]); "
        "m = u.module_from_spec(s); s.loader.exec_module(m); print(m.digest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    other = subprocess.run(
        [sys.executable, "-c", code, __file__], env=environment, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == digest()


def test_another_seed_makes_another_world():
    assert digest(11) != digest(12)
