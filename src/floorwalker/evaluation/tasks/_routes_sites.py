"""What a log of a generated site shows: requests drawn over its pages, unevenly as visitors do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zlib import crc32

import numpy as np

from floorwalker.learning.routes import SiteSample
from floorwalker.simulation.sites import make_site

ROLE_WEIGHTS = {
    "product": 25, "category": 16, "search": 7, "offer": 6, "login": 3, "basket": 4, "checkout": 3, "callback": 0.7,
    "feed": 0.7, "asset": 24, "beacon": 4, "health": 0.7, "other": 10,
}  # fmt: skip


def draw_sample(family: str, *, seed: int, items: int, requests: int) -> SiteSample:
    """Draw a log's distinct targets with their request counts.

    Within a role, some pages are asked for far more than others; within a page, targets follow a power law whose
    exponent differs from site to site, because a crawler's log is flat and a campaign's is steep.

    Parameters
    ----------
    family, seed, items : of the site, see `make_site`.
    requests : how many requests are drawn; rare targets are then missing, as in a short log.
    """
    site = make_site(family, seed=seed, items=items)
    rng = np.random.default_rng([crc32(family.encode()), seed, items, requests])
    weights = np.array([ROLE_WEIGHTS[page.role] for page in site.pages])
    weights *= rng.lognormal(0, 0.8, len(weights)) * np.array([len(page.targets) ** 0.25 for page in site.pages])
    steep = rng.uniform(1.0, 3.0)
    targets: list[str] = []
    templates: list[str] = []
    counts: list[float] = []
    posts: list[float] = []
    seen: set[str] = set()
    for page, number in zip(site.pages, rng.multinomial(requests, weights / weights.sum()).tolist(), strict=True):
        places = (rng.random(number) ** steep * len(page.targets)).astype(np.int64)
        drawn, times = np.unique(places, return_counts=True)
        posted = page.method == "POST"
        for place, count in zip(drawn.tolist(), times.tolist(), strict=True):
            target = page.targets[place]
            if target in seen:
                continue
            seen.add(target)
            targets.append(target)
            templates.append(page.route)
            counts.append(count)
            posts.append(count if posted else 0)
    order = rng.permutation(len(targets)).tolist()
    return SiteSample(
        family, tuple(targets[k] for k in order), np.array(counts, np.float64)[order],
        np.array(posts, np.float64)[order], tuple(templates[k] for k in order),
    )  # fmt: skip


SIZES = ((60, 600), (200, 3_000), (800, 12_000), (4_000, 60_000), (20_000, 150_000))
"""(items, requests) of the logs that training sees."""


def draw_samples(
    families: Sequence[str], *, seeds: Sequence[int], sizes: Sequence[tuple[int, int]] = SIZES
) -> Iterator[SiteSample]:
    """One sample for each family, seed and size."""
    for seed in seeds:
        for family in families:
            for items, requests in sizes:
                yield draw_sample(family, seed=seed, items=items, requests=requests)
