"""From a recorded history and what became known of it to a folder of models that `serve` loads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.detectors.unusual import LEAST_ROWS
from floorwalker.errors import UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.fusion.stacked import StackedFusion
from floorwalker.learning.shop.drawing import first_opinions
from floorwalker.learning.shop.earlier import remove_earlier
from floorwalker.learning.shop.fusing import FEWEST, fuse_best, fuse_rows, proven_rows, rank_fusion, relevant_types
from floorwalker.learning.shop.hands import learn_hands
from floorwalker.learning.shop.labels import proofs_of, spread_proofs
from floorwalker.learning.shop.plan import TrainingPlan
from floorwalker.learning.shop.recording import Recording
from floorwalker.learning.shop.signals import Signals, add_behaviour, add_unusual
from floorwalker.learning.shop.signals_live import add_content, add_context, add_relation, add_series
from floorwalker.learning.shop.suspicion import add_memory
from floorwalker.learning.shop.unproven import guess_unproven

ROUNDS = 2
"""How often what nobody proved is guessed: the memory of suspicion learns from the first guesses, and what it says then
makes the second ones better. Chosen on another scenario."""


@dataclass(frozen=True)
class Trained:
    """What training gave.

    Parameters
    ----------
    fusion : the model.
    signals : what each modality says of every event.
    known : float32 [n, abuse types], the labels it learned from.
    proofs : the same without what only follows from proofs of other events.
    guessed : float32 [events learned from], how far events that were not proven themselves counted as abuse, NaN
        where they counted as nothing.
    facts : of the manifest: labels by type, what could not be learned, seconds.
    """

    fusion: StackedFusion
    signals: Signals
    known: NDArray[np.float32]
    proofs: NDArray[np.float32]
    guessed: NDArray[np.float32] | None
    facts: dict[str, Any]


def train_shop(
    recording: Recording,
    labels: pl.DataFrame,
    out: Path | None,
    plan: TrainingPlan,
    *,
    known: NDArray[np.float32] | None = None,
    signals: Signals | None = None,
    guessed: NDArray[np.float32] | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Trained:
    """Train detectors and fusion.

    Parameters
    ----------
    labels : as `floorwalker.learning.shop.labels` reads them.
    out : folder of the models; None keeps them in memory (the sequence model writes its artefact nowhere then).
    known : labels of every event, where the caller has them instead: float32 [n, abuse types].
    signals : what the modalities say, where they were trained before.
    guessed : how far unproven events count as abuse, where it was guessed before.

    Errors
    ------
    `UsageError` where no abuse type has `FEWEST` proven events, with how many there are of each.
    """
    proofs = proofs_of(recording, labels, known_at=plan.known_at) if known is None else known
    if known is None:
        known = spread_proofs(recording, proofs)
    learned_until = recording.place_of(plan.train_until)
    checked_until = recording.place_of(plan.validation_until)
    proven = {name: int((known[:learned_until, place] == 1).sum()) for place, name in enumerate(ABUSE_TYPES)}
    if max(proven.values()) < FEWEST:
        if len(labels) and np.isnan(proofs).all():
            raise UsageError(
                f"none of the {len(labels):,} labels names an event that is known and was judged before the cut-off",
                allowed=f"subjects among the ids of events, orders, accounts and sessions; at least {FEWEST} proven "
                f"events of one type: {', '.join(ABUSE_TYPES)}",
                fix="check subject, subject_kind and observed_at, or leave --labels out",
            )
        raise UsageError(
            f"proven events by abuse type: {proven}",
            allowed=f"at least {FEWEST} of one type before the validation part",
            fix="give more labels, or leave --labels out and learn what needs none",
        )
    facts: dict[str, Any] = {
        "plan": asdict(plan),
        "data": fingerprint(recording),
        "events": {"all": len(recording), "learned": learned_until, "validation": checked_until - learned_until},
        "proven": proven,
        "not_learned": [name for name, count in proven.items() if count < FEWEST],
    }
    fresh = signals is None
    if signals is None:
        signals = learn_signals(
            recording, known, out, plan, until=int(learned_until * plan.early_share), facts=facts, progress=progress
        )
        given = guessed is not None
        for round_ in range(ROUNDS):
            if "memory" in plan.modalities:
                _remember(recording, known, signals, out, plan, learned_until, guessed, facts, progress)
            if given or not plan.guess:
                break
            progress(f"fusion: guessing what nobody proved, {round_ + 1} of {ROUNDS}")
            guessed = _guess(recording, known, proofs, signals, plan, learned_until)
            if "memory" not in plan.modalities or not _says_more(guessed, known):
                break
    elif guessed is None and plan.guess:
        progress("fusion: guessing what nobody proved")
        guessed = _guess(recording, known, proofs, signals, plan, learned_until)
    if guessed is not None:
        facts["guessed"] = {"abuse": float(np.nansum(guessed)), "left_out": int(np.isnan(guessed).sum())}
    progress("fusion: gathering rows")
    if fresh and plan.choose:
        edges = learned_until, checked_until
        fusion = fuse_best(recording, known, signals, plan, edges=edges, guessed=guessed, progress=progress)
    else:
        fusion = fuse_rows(recording, known, signals, plan, learned_until=learned_until, guessed=guessed)
    facts["not_fused"] = list(signals.left_out)
    progress("fusion: whose hands")
    fusion.hands = learn_hands(recording, known, signals, plan, fusion, learned_until=learned_until, guessed=guessed)
    progress("fusion: ranks")
    rank_fusion(recording, known, signals, fusion, learned_until, checked_until, plan)
    if out is not None:
        fusion.save(out / "fusion", facts=facts | {"signals": list(signals.outputs)})
    return Trained(fusion, signals, known, proofs, guessed, facts)


def train_without_labels(
    recording: Recording, out: Path, plan: TrainingPlan, *, progress: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Learn what needs no labels: what follows what in the events of accounts and sessions, and how surprising it is.

    Answers the facts of the manifest. What abuse is, nobody said; the risk of such models is an order of surprise.
    """
    facts: dict[str, Any] = {
        "plan": asdict(plan), "data": fingerprint(recording), "events": {"all": len(recording)}, "labels": "none",
    }  # fmt: skip
    known = np.full((len(recording), len(ABUSE_TYPES)), np.nan, np.float32)
    learned_until = recording.place_of(plan.train_until)
    learn_signals(recording, known, out, plan, until=learned_until, facts=facts, progress=progress)
    return facts


def learn_signals(
    recording: Recording,
    known: NDArray[np.float32],
    out: Path | None,
    plan: TrainingPlan,
    *,
    until: int,
    facts: dict[str, Any],
    progress: Callable[[str], None],
) -> Signals:
    """Train the modalities on the events before place `until` and let them speak of all.

    What an earlier training left in the folder is removed before: what is not trained now would be taken for a part of
    these models.
    """
    signals = Signals()
    folder = out if out is not None else recording.folder / "models"
    if earlier := remove_earlier(folder):
        progress(f"removed what an earlier training left in {folder}: {', '.join(earlier)}")
    if "behaviour" in plan.modalities:
        signals.modalities.append(
            add_behaviour(
                recording,
                folder,
                known,
                until=until,
                seed=plan.seed,
                device=plan.device,
                facts=facts,
                progress=progress,
                epochs=plan.epochs,
            )
        )
    if "anomaly" in plan.modalities and until < LEAST_ROWS:
        progress(f"anomaly: {until} events are too few, {LEAST_ROWS} are needed; left out")
    elif "anomaly" in plan.modalities:
        progress("anomaly: isolation forest")
        signals.modalities.append(add_unusual(recording, folder, until=until, seed=plan.seed))
    if "relation" in plan.modalities:
        signals.modalities.append(
            add_relation(
                recording, folder, known, until=until, seed=plan.seed, device=plan.device,
                network=plan.graph_network, facts=facts, progress=progress,
            )
        )  # fmt: skip
    for name, add in (("content", add_content), ("series", add_series), ("context", add_context)):
        if name in plan.modalities:
            signals.modalities.append(add(recording, folder, facts=facts, progress=progress))
    return signals


def _remember(
    recording: Recording,
    known: NDArray[np.float32],
    signals: Signals,
    out: Path | None,
    plan: TrainingPlan,
    until: int,
    guessed: NDArray[np.float32] | None,
    facts: dict[str, Any],
    progress: Callable[[str], None],
) -> None:
    """Put the memory of suspicion among the modalities, in the place of an earlier one."""
    memory = add_memory(
        recording,
        out if out is not None else recording.folder / "models",
        known,
        relevant_types(recording, known, until),
        until=until,
        seed=plan.seed,
        threads=plan.threads,
        facts=facts,
        progress=progress,
        beside=next((each for each in signals.modalities if each.name == "context"), None),
        guessed=guessed,
    )
    others = [each for each in signals.modalities if each.name != "memory"]
    signals.modalities[:] = [*others, *([memory] if memory is not None else [])]


def _guess(
    recording: Recording,
    known: NDArray[np.float32],
    proofs: NDArray[np.float32],
    signals: Signals,
    plan: TrainingPlan,
    until: int,
) -> NDArray[np.float32] | None:
    odd = first_opinions(signals, until)
    if odd is None:
        return None
    proven, judged = proven_rows(recording, known, until)
    themselves: NDArray[np.bool_] = np.asarray((proofs[:until] == 1).any(axis=1)) & judged
    # Whom somebody called honest nobody guesses about.
    open_to_guess = judged & (proven | np.isnan(known[:until]).all(axis=1))
    return guess_unproven(
        recording, signals, themselves, proven, open_to_guess, odd,
        most_rows=plan.most_rows * 8 // 5, seed=plan.seed, threads=plan.threads,
    )  # fmt: skip


def _says_more(guessed: NDArray[np.float32] | None, known: NDArray[np.float32]) -> bool:
    """Whether something was guessed that does not follow from proofs alone."""
    if guessed is None:
        return False
    proven = (known[: len(guessed)] == 1).any(axis=1)
    return bool((np.isnan(guessed) | (guessed > 0))[~proven].any())


def fingerprint(recording: Recording) -> str:
    """What data this is: a hash of times and types."""
    digest = hashlib.blake2b(digest_size=12)
    digest.update(recording.at.tobytes())
    digest.update(recording.type.tobytes())
    digest.update(json.dumps(recording.names).encode())
    return digest.hexdigest()
