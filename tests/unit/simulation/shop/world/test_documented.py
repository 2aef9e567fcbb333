"""The page on the world names every segment with its share, and every kind of network."""

import re
from pathlib import Path

from floorwalker.simulation.shop.world.catalogue import CATEGORIES
from floorwalker.simulation.shop.world.networks import KINDS
from floorwalker.simulation.shop.world.segments import SEGMENTS

PAGE = (Path(__file__).parents[5] / "docs" / "simulated-world.md").read_text("utf-8")


def test_every_segment_stands_there_with_its_share_and_meaning():
    found = re.findall(r"^\| `([a-z_]+)` \| ([\d.]+) % \| (.+) \|$", PAGE, re.MULTILINE)
    assert [(name, float(share), meaning) for name, share, meaning in found] == [
        (segment.name, round(100 * segment.share, 6), segment.meaning) for segment in SEGMENTS
    ]


def test_every_kind_of_network_stands_there():
    rows = re.findall(r"^\| ((?:`[a-z]+`(?:, )?)+) \| ", PAGE, re.MULTILINE)
    assert set(re.findall(r"`([a-z]+)`", " ".join(rows))) >= set(KINDS)


def test_the_categories_are_counted():
    assert f"Items of {len(CATEGORIES)} categories" in PAGE
