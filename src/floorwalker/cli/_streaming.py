"""``floorwalker simulate --out FOLDER --stream URL``: a shop that was written, sent live to a server."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from floorwalker.cli._output import note
from floorwalker.errors import InputError, UsageError

KEY_VARIABLE = "FLOORWALKER_KEY"
"""Environment variable with the server's key, so that it stands in no list of processes."""


OUTCOMES = "streamed-outcomes.parquet"
"""File in the folder for what becomes known of what was let happen."""


def stream_folder(
    folder: Path,
    url: str,
    *,
    speed: float = 0.0,
    times: float = 0.0,
    connections: int = 4,
    replay: bool = False,
    pages: int = 10,
) -> tuple[dict[str, Any], str]:
    """Send a simulated shop's folder to a server; answers the figures and a sentence about them.

    Parameters
    ----------
    folder : as `floorwalker simulate --out` writes it.
    url : of the server; its key with the scopes `decide` and `ingest` is in FLOORWALKER_KEY.
    speed : events a second, 0 for no bound.
    times : times real time, 0 for no bound.
    connections : to the server, at the same time.
    replay : send the adversaries as they were written, instead of letting them hear the answers.
    pages : the server is asked about the first page of a visit and every so-manieth after it; 0 for none.

    What comes to light of it is written to `streamed-outcomes.parquet` in the folder.
    """
    from floorwalker.simulation.shop.scenario import SECOND, Scenario
    from floorwalker.simulation.shop.streaming import read_honest, stream

    key = os.environ.get(KEY_VARIABLE, "")
    if not key:
        raise UsageError(
            "no key for the server",
            allowed=f"the environment variable {KEY_VARIABLE}",
            fix="floorwalker keys create simulator --scopes ingest,decide",
        )
    try:
        kept = json.loads((folder / "manifest.json").read_text("utf-8"))["scenario"]
        scenario = Scenario.of(kept)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} holds no simulated shop: {error}", fix=f"floorwalker simulate --out {folder}"
        ) from error
    began = time.monotonic()
    # The run ends now: what is sent looks like the last days, not like a year that is gone.
    move = (time.time_ns() // 1_000 - scenario.end_at) // SECOND * SECOND
    done = stream(
        scenario,
        read_honest(folder, everybody=replay),
        url,
        key,
        clock=lambda: time.monotonic_ns() // 1_000,
        wait=time.sleep,
        speed=speed,
        times=times,
        move=move,
        connections=connections,
        only=frozenset() if replay else None,
        ask_pages=pages,
        progress=lambda sent: note(f"{sent:,} events sent") if sent % 10_000 == 0 else None,
    )
    done.outcomes.write_parquet(folder / OUTCOMES)
    seconds = time.monotonic() - began
    facts = {**done.figures(), "seconds": round(seconds, 1), "events_per_second": round(done.sent / max(seconds, 1e-9))}
    gone = sum(row["gave_up"] for row in done.campaigns)
    return facts, (
        f"{done.sent:,} events sent, {done.decided:,} decided about, {done.prevented:,} did not happen; "
        f"{done.honest_refused:,} of {done.honest_decided:,} decisions went against honest customers; "
        f"{done.harmful_refused:,} of {done.harmful_refused + done.harmful_passed:,} harmful events refused, "
        f"{gone} of {len(done.campaigns)} campaigns gave up; {sum(done.heard.values()):,} outcomes in {OUTCOMES}, "
        f"{done.letters:,} letters and {done.labels:,} labels sent, {done.told_meanwhile:,} of them meanwhile"
    )
