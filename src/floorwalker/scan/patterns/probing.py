"""Requests for secrets and known holes, with abnormal URLs or attack payloads (OAT-014, vulnerability scanning)."""

from __future__ import annotations

import numpy as np

from floorwalker.features.visitors import _columns as c
from floorwalker.scan.patterns._pattern import Evidence, Pattern, Values, count_text


def _strength(evidence: Evidence) -> Values:
    facts = evidence.facts
    probes = facts.column(c.PROBES)
    attacks = facts.column(c.ATTACKS)
    # The shop's own tools may live at a probed path; then it answers, and the visitor has few errors.
    refused = facts.column(c.CLIENT_ERRORS) + facts.column(c.SERVER_ERRORS)
    return np.where(refused >= 0.5 * probes, probes, 0.0) + 2.0 * attacks


def _sentence(evidence: Evidence, row: int) -> str:
    probes = evidence.facts.column(c.PROBES)[row]
    attacks = evidence.facts.column(c.ATTACKS)[row]
    parts = []
    if probes:
        parts.append(f"{count_text(probes, 'request')} for secrets, known holes or abnormal URLs")
    if attacks:
        parts.append(f"{count_text(attacks, 'request')} with an attack in the URL")
    return "probes the site: " + " and ".join(parts)


PATTERN = Pattern("probing.asks_for_secrets", "proven", "activity", 3.0, False, _strength, _sentence, 2)
