"""The catalogue read page by page by something that is no browser (OAT-011, scraping)."""

from __future__ import annotations

import numpy as np

from floorwalker.scan.patterns._pattern import Evidence, Pattern, Values, count_text
from floorwalker.scan.phrases import say_share

FEWEST_PAGES = 40
MANY_PAGES = 80


def _strength(evidence: Evidence) -> Values:
    features = evidence.features
    different = np.minimum(features["distinct_targets"], features["visits"])
    bare = features["assets_per_page"] < 0.05
    blind = features["without_referrer_share"] >= 0.9
    one_kind = (features["top_route_share"] >= 0.6) | (features["product_share"] >= 0.8)
    # Without assets in the log a browser cannot be told from a script, so two other signs must then agree.
    signs = blind.astype(float) + one_kind + (bare if evidence.site_fetches_assets else np.zeros(len(evidence)))
    # Whoever reads with a text browser or a screen reader is bare and blind too, but neither for long nor for one kind.
    sure = (signs >= 3.0) | ((signs >= 2.0) & (different >= MANY_PAGES))
    applies = (different >= FEWEST_PAGES) & (different >= 0.6 * features["visits"]) & sure
    return np.where(applies, different, 0.0)


def _sentence(evidence: Evidence, row: int) -> str:
    features = evidence.features
    different = count_text(min(features["distinct_targets"][row], features["visits"][row]), "different URL")
    visits = count_text(features["visits"][row], "visit")
    parts = [f"reads the catalogue: {different} in {visits} (site median {evidence.medians['distinct_targets']:.0f})"]
    if evidence.site_fetches_assets:
        usual = evidence.medians["assets_per_page"]
        parts.append(f"{features['assets_per_page'][row]:.2f} assets a page (site median {usual:.1f})")
    parts.append(f"{say_share(features['without_referrer_share'][row], 1.0)} without a referrer")
    return ", ".join(parts)


PATTERN = Pattern("scraping.reads_catalogue", "strong pattern", None, 40.0, True, _strength, _sentence)
