"""Modalities that follow the events: offline as live, nothing from the future, nothing learned where nothing is."""

from dataclasses import replace

import msgspec
import numpy as np
import polars as pl
import pytest

from floorwalker.detectors.context.live import LiveContext
from floorwalker.detectors.relation.live import LiveRelations
from floorwalker.detectors.rules import LiveRules, RuleTable, default_schema
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event
from floorwalker.events.identity.normalise import normalise
from floorwalker.events.identity.tokens import Tokeniser
from floorwalker.features.live import LiveFeatures
from floorwalker.fusion.first_opinion import FirstOpinion
from floorwalker.learning.shop import unproven
from floorwalker.learning.shop.fusing import relevant_types
from floorwalker.learning.shop.labels import SCHEMA
from floorwalker.learning.shop.neighbours import learn_relations
from floorwalker.learning.shop.plan import TrainingPlan
from floorwalker.learning.shop.recording import Recording, open_recording, record
from floorwalker.learning.shop.signals import Modality, Signals
from floorwalker.learning.shop.signals_live import FOLDER, add_content, add_context, add_relation, add_series, follow
from floorwalker.learning.shop.suspicion import add_memory
from floorwalker.learning.shop.training import train_shop
from floorwalker.metrics import roc_auc
from floorwalker.pipeline.ids import IdHasher
from floorwalker.pipeline.models import ShopModels
from floorwalker.pipeline.pipeline import Pipeline

pytest.importorskip("lightgbm")

START = 1_760_000_000_000_000
MINUTE = 60_000_000
PROMOTION = ABUSE_TYPES.index("promotion_abuse")
COPY = "Great blender, it crushes ice in seconds and is very easy to clean afterwards."
COUNT = 1200


def rows() -> list[dict[str, object]]:
    """Crews of four on one device redeem coupons and praise with one text; others do the same alone, in own words."""
    rng = np.random.default_rng(3)
    found: list[dict[str, object]] = []
    for number in range(COUNT):
        crew = rng.random() < 0.2
        group = int(rng.integers(30))
        account = f"c-{group}-{rng.integers(4)}" if crew else f"a-{rng.integers(200)}"
        row: dict[str, object] = {
            "id": f"e-{number}", "at": START + number * 20 * MINUTE, "account": account,
            "device": f"d-{group}" if crew else f"own-{account}", "country": "DE",
            "referrer": "/" if number % 5 else None, "user_agent": f"browser {number % 4}",
            "network": {"kind": ("mobile", "hosting")[number % 2], "country": "FR"},
        }  # fmt: skip
        if number % 3:
            row |= {"type": "coupon_redeem", "coupons": ["TEN"]}
        else:
            words = " ".join(rng.choice(["fine", "odd", "warm", "blue", "small", "late", "kind", "flat"], 9))
            row |= {"type": "review", "item": f"i-{rng.integers(9)}", "rating": 1.0, "text": COPY if crew else words}
        found.append(row)
    return found


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Recording:
    return record([rows()], tmp_path_factory.mktemp("shop") / "columns")


@pytest.fixture(scope="module")
def known(recording) -> np.ndarray:
    crews = recording.named()["account"].str.starts_with("c-").to_numpy()
    labels = np.full((COUNT, len(ABUSE_TYPES)), np.nan, np.float32)
    redeemed = np.array([number % 3 > 0 for number in range(COUNT)])
    labels[crews & redeemed & (np.random.default_rng(1).random(COUNT) < 0.5), PROMOTION] = 1
    return labels


@pytest.fixture(scope="module")
def trained(recording, known, tmp_path_factory):
    out = tmp_path_factory.mktemp("models")
    plan = TrainingPlan(
        int(recording.at[800]), int(recording.at[1000]),
        modalities=("relation", "content", "series", "context", "memory"),
        rounds=30,
        max_bin=63, threads=1, early_share=0.5,
    )  # fmt: skip
    return train_shop(recording, pl.DataFrame(schema=SCHEMA), out, plan, known=known), out


def live_columns(models: ShopModels) -> np.ndarray:
    """What the request path says of each event, one request an event."""
    features = LiveFeatures(seed=1)
    table = RuleTable.load({}, schema=default_schema(features.names))
    made = Pipeline(EntityKeyer(bytes(16)), IdHasher(bytes(16)), features, LiveRules(table), models=models)
    said = []
    for number, row in enumerate(rows()):
        event = msgspec.convert({**row, "received_at": row["at"]}, Event)
        batch = make_batch([normalise(event, Tokeniser(bytes(32)))[0]], made.keyer)
        said.append(made.advance(batch, np.array([number])).features.values[0, len(features.names) :])
    return np.array(said)


def test_what_training_saw_is_what_the_server_says(trained):
    found, out = trained
    models = ShopModels.load(out, LiveFeatures(seed=0).names)
    assert list(models.parts) == [modality.name for modality in found.signals.modalities]
    offline = np.concatenate([modality.scores for modality in found.signals.modalities], axis=1)
    live, names = live_columns(models), found.signals.outputs
    # In training two models judge each other's half of what they learn from; live both are asked of everything.
    plain = [place for place, name in enumerate(names) if not name.startswith("memory.")]
    np.testing.assert_allclose(live[:, plain], offline[:, plain], atol=1e-5)
    first = names.index("memory.first_opinion")
    np.testing.assert_allclose(live[800:, first], offline[800:, first], atol=1e-5)
    assert np.unique(live[800:, first]).size > 5


def test_the_first_opinion_reads_the_context(trained):
    _, out = trained
    opinion = FirstOpinion.load(out / "memory")
    assert set(LiveContext.outputs) < set(opinion.models[0].names)


def test_the_first_opinion_learns_from_guesses_as_from_proofs(recording, known, tmp_path):
    number = np.arange(COUNT)
    alike = (number % 2 == 1) & (number % 3 > 0)
    proven = (known[:800] == 1).any(axis=1)
    guesses = np.where(alike[:800] & ~proven, 1.0, 0.0).astype(np.float32)
    context = add_context(recording, tmp_path, facts={}, progress=lambda text: None)
    relevant = relevant_types(recording, known, 800)
    said = []
    nobody = np.where(proven, np.nan, 0.0).astype(np.float32)
    for guessed in (None, guesses, np.where(guesses > 0, np.nan, guesses), nobody):
        memory = add_memory(
            recording, tmp_path, known, relevant, until=800, seed=0, threads=1, facts={}, progress=lambda text: None,
            beside=context, guessed=guessed,
        )  # fmt: skip
        assert memory is not None
        said.append(np.array(memory.scores[:, 0]))
    honest = ~recording.named()["account"].str.starts_with("c-").to_numpy()
    later = alike & honest & (number >= 800)
    plain, told, doubted, _ = (float(each[later].mean()) for each in said)
    # What is guessed is suspect afterwards; what is doubted is no example of honest events.
    assert told > 10 * plain
    assert doubted > 10 * plain
    # Where the teacher doubts what is proven itself, the proofs are left to learn from.
    np.testing.assert_array_equal(said[3], said[0])


@pytest.mark.parametrize(("fewest", "rounds"), [(20, 2), (100_000, 1)])
def test_what_nobody_proved_is_guessed_twice_where_there_is_enough_to_guess_by(
    recording, known, monkeypatch, fewest, rounds
):
    monkeypatch.setattr(unproven, "FEWEST", fewest)
    said: list[str] = []
    plan = TrainingPlan(
        int(recording.at[800]), int(recording.at[1000]), modalities=("context", "memory"), rounds=10, max_bin=63,
        threads=1,
    )  # fmt: skip
    found = train_shop(recording, pl.DataFrame(schema=SCHEMA), None, plan, known=known, progress=said.append)
    assert [line for line in said if "guessing" in line] == [
        f"fusion: guessing what nobody proved, {number} of 2" for number in range(1, rounds + 1)
    ]
    assert [modality.name for modality in found.signals.modalities] == ["context", "memory"]
    assert len([line for line in said if line == "memory: following the events"]) == rounds


def test_crews_are_told_by_their_links_and_copies(trained, recording):
    found, _ = trained
    crews = recording.named()["account"].str.starts_with("c-").to_numpy()
    later = np.arange(COUNT) >= 600
    relation, content, series, *_ = found.signals.modalities
    degree = np.nan_to_num(relation.scores[:, relation.outputs.index("relation.device.degree")])
    assert roc_auc(crews[later], degree[later]) > 0.95
    copied = content.scores[:, content.outputs.index("content.copied_by_accounts")]
    written = later & ~np.isnan(copied)
    assert roc_auc(crews[written], copied[written]) > 0.95
    assert series.scores.shape == (COUNT, 2)


def test_what_happens_later_changes_nothing_and_passes_are_kept(recording, trained, tmp_path):
    first = record([rows()[:700]], tmp_path / "columns")
    for add in (add_content, add_series, add_context):
        whole = add(recording, tmp_path / "one", facts={}, progress=lambda text: None)
        half = add(first, tmp_path / "two", facts={}, progress=lambda text: None)
        np.testing.assert_array_equal(half.scores, whole.scores[:700])
    kept = sorted((first.folder / FOLDER).iterdir())
    stamps = [file.stat().st_mtime_ns for file in kept]
    assert [file.name.partition("-")[0] for file in kept] == ["content", "context", "series"]
    add_content(open_recording(first.folder), tmp_path / "two", facts={}, progress=lambda text: None)
    assert [file.stat().st_mtime_ns for file in kept] == stamps
    # Of another size, it is another detector: what is kept does not fit.
    follow(first, LiveRelations(accounts=64, entities=64), "relation")
    follow(first, LiveRelations(accounts=128, entities=64), "relation")
    assert len(list((first.folder / FOLDER).glob("relation-*.f4"))) == 1


def test_columns_that_nothing_was_learned_for_are_honest_everywhere():
    scores = np.ones((10, 3), np.float32)
    signals = Signals([Modality("relation", ("a", "b", "gnn"), scores, learned_until=4, unlearned=2)])
    told = signals.rows(np.arange(10))
    assert not np.isnan(told[:, :2]).any()
    assert np.isnan(told[:4, 2]).all()
    assert not np.isnan(told[4:, 2]).any()
    # Left out of fusion is what was learned from labels alone: here the last of five columns.
    assert signals.heard(5).tolist() == [0, 1, 2, 3, 4]
    signals.left_out = ("relation",)
    assert signals.heard(5).tolist() == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_network_over_neighbours_learns_what_crews_are_and_nothing_from_shuffled_labels(recording, known, tmp_path):
    pytest.importorskip("torch_geometric")
    crews = recording.named()["account"].str.starts_with("c-").to_numpy()
    redeemed = np.array([number % 3 > 0 for number in range(COUNT)])
    found = add_relation(
        recording,
        tmp_path,
        known,
        until=800,
        seed=0,
        device="cpu",
        network=True,
        facts={},
        progress=lambda text: None,
    )
    assert found.outputs[-1] == "relation.gnn.promotion_abuse"
    assert (found.learned_until, found.unlearned) == (800, len(found.outputs) - 1)
    later = redeemed & (np.arange(COUNT) >= 800)
    assert roc_auc(crews[later], np.asarray(found.scores[later, -1])) > 0.9
    assert LiveRelations.load(tmp_path / "relation").outputs == found.outputs
    # The kernel scores in the request path as in training.
    live = LiveRelations.load(tmp_path / "relation")
    single = np.concatenate([live.advance(*recording.batch(row, row + 1)) for row in range(200)])
    np.testing.assert_allclose(single, found.scores[:200], atol=1e-5)
    shuffled = np.full_like(known, np.nan)
    places = np.random.default_rng(0).permutation(np.flatnonzero(redeemed))
    shuffled[places[: int((known == 1).sum())], PROMOTION] = 1
    none = learn_relations(recording, shuffled, until=800, seed=0, epochs=10)
    blind = replace(found, scores=follow(recording, none, "shuffled"))
    assert 0.35 < roc_auc(crews[later], np.asarray(blind.scores[later, -1])) < 0.65
