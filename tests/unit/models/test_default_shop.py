"""The models that come with the package: they fit today's features, say how they were made, and are small."""

import json

import numpy as np

from floorwalker.features.live import LiveFeatures
from floorwalker.models.artefacts import DEFAULT
from floorwalker.pipeline.models import PARTS, ShopModels

SHOP = DEFAULT / "shop"


def test_they_are_whole_and_fit_todays_features():
    models = ShopModels.load(SHOP, LiveFeatures(seed=0).names)
    assert models.lost == {}
    assert set(models.versions) == set(PARTS)


def test_before_a_shops_own_labels_they_say_ranks():
    models = ShopModels.load(SHOP, LiveFeatures(seed=0).names)
    assert models.fusion is not None
    assert models.fusion.calibrations == {}
    assert models.fusion.ranks is not None
    assert (np.diff(models.fusion.ranks[0]) > 0).all()


def test_to_warm_them_moves_no_state():
    models = ShopModels.load(SHOP, LiveFeatures(seed=0).names)
    before = {name: array.copy() for name, array in models.state().items()}
    models.warm()
    for name, array in models.state().items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def test_they_say_what_they_were_made_from_and_name_no_machine():
    for manifest in SHOP.rglob("manifest.json"):
        text = manifest.read_text("utf-8")
        assert json.loads(text)["files"]
        assert "/home" not in text
        assert "/tmp" not in text
    facts = json.loads((SHOP / "fusion" / "manifest.json").read_text("utf-8"))
    assert facts["events"]["all"] >= 4_000_000
    assert facts["plan"]["seed"] == 0


def test_all_artefacts_together_are_small():
    assert sum(file.stat().st_size for file in DEFAULT.rglob("*") if file.is_file()) < 10_000_000
