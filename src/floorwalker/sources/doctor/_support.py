"""Which kinds of abuse and which detectors a profile's data supports, and why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from floorwalker.sources.doctor._needs import Need, Requirement

THIN = 0.02
"""A requirement that less than this share of the events meets counts as not met."""

Usable = Callable[[str, str], tuple[int, int]]
"""(type of event, field) -> (events of the type, those with a usable value in the field)."""


@dataclass(frozen=True)
class Verdict:
    """What can be expected.

    Parameters
    ----------
    name : kind of abuse or family of detectors.
    level : `yes`, `partly` or `no`.
    missing : why not more, most important first, in sentences.
    helps : what is there beside the necessary.
    """

    name: str
    level: str
    missing: tuple[str, ...]
    helps: tuple[str, ...]


def judge(needs: Mapping[str, Need], types: Mapping[str, int], usable: Usable) -> list[Verdict]:
    """One verdict for each need.

    Parameters
    ----------
    types : type of event -> how many came.
    usable : see `Usable`.
    """
    return [_judge(name, need, types, usable) for name, need in needs.items()]


def _judge(name: str, need: Need, types: Mapping[str, int], usable: Usable) -> Verdict:
    level = "yes"
    fatal: list[tuple[str, str]] = []
    thin: list[tuple[str, str]] = []
    for requirement in need.must:
        share, why = _share(requirement, types, usable)
        if share < min(THIN, requirement.least):
            level = "no"
            fatal.append((requirement.what, why))
        elif share < requirement.least:
            level = "partly" if level == "yes" else level
            thin.append((requirement.what, why))
    found = []
    for requirement in need.helps:
        share, why = _share(requirement, types, usable)
        if share >= requirement.least:
            found.append(requirement.what)
        else:
            thin.append((requirement.what, why))
    if level == "yes" and need.helps and len(found) * 2 < len(need.helps):
        level = "partly"
    return Verdict(name, level, _join([*fatal, *thin]), tuple(found))


def _join(reasons: list[tuple[str, str]]) -> tuple[str, ...]:
    """Sentences; what lacks for the same reason shares one."""
    by_reason: dict[str, list[str]] = {}
    for what, why in reasons:
        by_reason.setdefault(why, []).append(what)
    return tuple(f"{', '.join(whats)}: {why}" for why, whats in by_reason.items())


def _share(requirement: Requirement, types: Mapping[str, int], usable: Usable) -> tuple[float, str]:
    """The share of the requirement's events that meet it, and why it is no more."""
    wanted = [name for name in (requirement.types or types) if types.get(name)]
    if not wanted:
        return 0.0, f"no event of type {' or '.join(requirement.types)}"
    if not requirement.fields:
        return 1.0, ""
    total = sum(types[name] for name in wanted)
    best, best_fields = -1.0, ""
    for alternative in requirement.fields:
        share = min(sum(usable(name, field)[1] for name in wanted) / total for field in alternative.split("+"))
        if share > best:
            best, best_fields = share, alternative
    # Several half-filled fields may together reach everybody; how far is not known, so the best alone counts.
    where = ", ".join(wanted[:4]) + (", …" if len(wanted) > 4 else "")
    names = " or ".join(field.replace("+", " with ") for field in requirement.fields)
    if best <= 0:
        return 0.0, f"{names} is never usable in {where}"
    percent = f"{best:.0%}" if best >= 0.01 else f"{best:.2%}"
    return best, f"{best_fields.replace('+', ' with ')} is usable in {percent} of {where} only"
