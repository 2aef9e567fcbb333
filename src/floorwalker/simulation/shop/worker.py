"""One process's share of a run: `python -m floorwalker.simulation.shop.worker` does jobs that stand on its input.

A program of its own rather than a copy of its caller, so that a script may call `simulate` wherever it likes. A job is
a line of JSON and so is its answer; tables go through files in the run's folder of parts.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import polars as pl

from floorwalker.errors import FloorwalkerError
from floorwalker.simulation.shop import access, campaigns
from floorwalker.simulation.shop.honest.crowd import make_crowd
from floorwalker.simulation.shop.honest.frame import make_frames
from floorwalker.simulation.shop.outcomes import AUDITS
from floorwalker.simulation.shop.pieces import finish_day, pieces_of, read_day, write_pieces
from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.simulation.shop.schema import EVENT_COLUMNS, TRUTH, frame_of
from floorwalker.simulation.shop.world import World

Job = dict[str, Any]
CAMPAIGN_GROUPS = 8
TRUTH_READ = ("abuse_type", "adversary", "family", "skill", "campaign", "phase", "loss_minor", "segment")
OUTCOME_COLUMNS = ("type", "account", "order", "item", "payment", "amount_minor", "currency", "card.scheme")
_MONEY_TYPES = ("payment_authorised", "payment_captured", "refund_issued")


@lru_cache(maxsize=1)
def world_of(scenario: Scenario) -> World:
    """The world of a scenario, made once in each process."""
    return World(scenario)


def said(frame: pl.DataFrame) -> list[str]:
    """The events' columns of a frame that hold anything."""
    return [name for name in frame.columns if name in EVENT_COLUMNS and frame[name].null_count() < len(frame)]


@dataclass(frozen=True)
class Worker:
    """Does the jobs of one run.

    Parameters
    ----------
    scenario : what is simulated.
    parts : folder for what the run's processes tell each other.
    """

    scenario: Scenario
    parts: Path

    def do(self, job: Job) -> Job:
        """Do one job, given as the name of what to do under `do` and its arguments."""
        arguments = {name: value for name, value in job.items() if name != "do"}
        work: Callable[..., Job] = getattr(self, job["do"])
        return work(**arguments)

    def shard(self, *, number: int, shards: int, scale: float) -> Job:
        """Honest customers `number`, `number + shards` and so on, into pieces by day.

        Parameters
        ----------
        scale : see `people_scale`.
        """
        world = world_of(self.scenario)
        rng = world.chance.generator("honest/shard", number)
        frames = make_frames(make_crowd(world, np.arange(number, world.customers, shards), rng, scale), number)
        counts = np.zeros(self.scenario.days, dtype=np.int64)
        for frame, letter in zip(frames, "pb", strict=True):
            counts += write_pieces(frame, self.scenario, self.parts, f"h{number:03d}{letter}")
        columns = sorted({name for frame in frames for name in said(frame)})
        return {"counts": counts.tolist(), "columns": columns, "campaigns": [], "malicious": 0}

    def campaigns(self, *, group: int) -> Job:
        """Every `CAMPAIGN_GROUPS`th campaign, into pieces by day."""
        scenario = self.scenario
        world = world_of(scenario)
        entries, rows = [], []
        for place, planned in enumerate(campaigns.plan(scenario)):
            if place % CAMPAIGN_GROUPS == group:
                ran = campaigns.run(world, planned)
                entries += ran.entries
                rows.append(ran.row)
        entries = [one for one in entries if scenario.first_at <= one.event.at < scenario.end_at]
        frame = frame_of(entries, scenario.shop)
        counts = write_pieces(frame, scenario, self.parts, f"a{group:03d}")
        bad = sum(bool(one.truth.adversary) for one in entries)
        return {"counts": counts.tolist(), "columns": said(frame), "campaigns": rows, "malicious": bad}

    def known(self, *, day: int, first: int) -> Job:
        """What the shop's outcomes are drawn from, of one day, into a file of its own.

        Parameters
        ----------
        first : how many events lie before this day.
        """
        columns = [*OUTCOME_COLUMNS, *(f"{TRUTH}{one}" for one in TRUTH_READ)]
        frame = read_day(self.parts, self.scenario, day, first, columns)
        wanted = pl.col("type").is_in([*AUDITS, "order", *_MONEY_TYPES]) | (pl.col(f"{TRUTH}phase") == "harmful")
        target = self.parts / f"known-{day:03d}.ipc"
        frame.filter(wanted).write_ipc(target)
        return {"file": target.name}

    def finish(self, *, day: int, first: int, columns: list[str], late: str, logged: bool) -> Job:
        """One whole day in order, and its lines of the access log.

        Parameters
        ----------
        first : how many events lie before this day. columns : those that say anything in this run.
        late : name of the file with events that come after all others, "" for none.
        """
        added = pl.read_ipc(self.parts / late) if late else None
        path = finish_day(self.parts, self.scenario, day, first, added, columns)
        if logged:
            access.write_lines(path, self.parts / f"day-{day:03d}.log")
        for piece in pieces_of(self.parts, day):
            piece.unlink()
        return {"day": day}


def serve(jobs: TextIO, answers: TextIO) -> None:
    """Answer jobs line by line until there are none; the first line says what is simulated and where the parts go."""
    begin = json.loads(jobs.readline())
    worker = Worker(Scenario.of(begin["scenario"]), Path(begin["parts"]))
    for line in jobs:
        try:
            answer = worker.do(json.loads(line))
        except FloorwalkerError as error:
            answer = {"error": str(error), "kind": type(error).__name__}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    # Whatever a library prints goes to the standard error, never between two answers.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as told:
        os.dup2(2, 1)
        serve(sys.stdin, told)
