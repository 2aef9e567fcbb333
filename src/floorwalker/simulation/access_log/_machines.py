"""What machines that are no suspects share: crawls of a catalogue, and clockwork calls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.access_log._catalogue import GET
from floorwalker.simulation.access_log._chance import renewals
from floorwalker.simulation.access_log._crowd import Crowd, make_actors, make_steps
from floorwalker.simulation.access_log._town import Town
from floorwalker.simulation.access_log._walk import draw_targets, methods_of


def crawl(
    town: Town,
    chance: Generator,
    daily: NDArray[np.int64],
    networks: Sequence[str],
    agents: Sequence[str],
    *,
    pages_a_visitor: float,
    kinds: Sequence[int],
    weights: Sequence[float],
    nodes: int = 12,
) -> Crowd:
    """A search engine's nodes, each at its own slow, uneven pace around the clock, from the operator's published
    blocks.

    Parameters
    ----------
    pages_a_visitor : pages fetched per honest visit of the shop, all nodes together.
    kinds, weights : what they fetch.
    """
    address = np.concatenate(
        [town.addresses.inside(chance, network, -(-nodes // len(networks))) for network in networks]
    )
    address = address[chance.permutation(len(address))]
    codes = np.array([town.agents.code(text) for text in agents], np.int32)
    actors = make_actors(
        address,
        codes[chance.integers(0, len(codes), len(address))],
        fetches_files=False,
        sends_referrer=False,
        keeps_cookies=False,
    )
    busy = chance.random(len(address)) ** 2 + 0.05
    total = float(daily.sum()) * pages_a_visitor
    gap = town.end / np.maximum(total * busy / busy.sum(), 3.0)
    rows, at = renewals(chance, -gap, np.full(len(gap), town.end), gap, np.full(len(gap), 1.6))
    shares = np.array(weights)
    kind = np.array(kinds, np.uint8)[chance.choice(len(kinds), len(rows), p=shares / shares.sum())]
    target = draw_targets(town.catalogue, chance, kind, {}, rows)
    return Crowd(actors, make_steps(rows, at, kind, target, method=methods_of(town.catalogue, kind, target)))


def clockwork(
    town: Town,
    chance: Generator,
    address: NDArray[np.int32],
    agent: NDArray[np.int32],
    *,
    gap: NDArray[np.float64],
    kind: int,
    method: int = GET,
    spread: float = 0.01,
    focus: int = 1,
) -> Crowd:
    """Clients that call one thing at fixed intervals, day and night."""
    actors = make_actors(address, agent, fetches_files=False, sends_referrer=False, keeps_cookies=False)
    rows, at = renewals(chance, -gap, np.full(len(gap), town.end), gap, np.full(len(gap), spread))
    kinds = np.full(len(rows), kind, np.uint8)
    target = draw_targets(town.catalogue, chance, kinds, {kind: focus}, rows)
    chosen = methods_of(town.catalogue, kinds, target) if method == GET else np.full(len(rows), method, np.uint8)
    return Crowd(actors, make_steps(rows, at, kinds, target, method=chosen))
