"""N-grams, frames, style, the classifier: what they keep, refuse and answer for odd texts."""

import numpy as np
import pytest

from floorwalker.detectors.content._frames import common_words, frame_of
from floorwalker.detectors.content._inputs import Inputs
from floorwalker.detectors.content._stacking import choose_stack, measure_answers
from floorwalker.detectors.content._views import make_views
from floorwalker.detectors.content.classifier import TextClassifier
from floorwalker.detectors.content.grams import Grams
from floorwalker.detectors.content.style import STYLE_FEATURES, count_words, style_rows
from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError

THINGS = ("room", "bed", "shower", "staff", "breakfast", "lift", "lobby", "view", "desk", "towel")
FAST = {"encoders": (), "views": ("characters", "style"), "folds": 2}


def make_texts(count: int, seed: int = 0) -> tuple[list[str], list[int]]:
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for number in range(count):
        one, other = random.choice(THINGS, 2)
        if number % 2:
            texts.append(f"My husband and I loved our amazing stay! The {one} was luxurious, the {other} perfect!")
        else:
            texts.append(f"{one} ok ({number}), small {other}; near the station, 2 blocks. Noise at night.")
        labels.append(number % 2)
    return texts, labels


@pytest.fixture(scope="module")
def classifier() -> TextClassifier:
    texts, labels = make_texts(60)
    return TextClassifier(encoders=(), views=("words", "frames+", "characters", "style"), folds=3).fit(texts, labels)


def test_classes_are_told_in_new_texts(classifier: TextClassifier) -> None:
    texts, labels = make_texts(40, seed=5)
    chance = classifier.probabilities(texts)
    np.testing.assert_allclose(chance.sum(1), 1, atol=1e-5)
    assert ((classifier.score(texts) > 0.5) == np.array(labels)).mean() > 0.95
    assert classifier.predict(texts[:2]) == [0, 1]


def test_what_was_learned_before_is_forgotten(tmp_path) -> None:
    texts, labels = make_texts(240)
    again, fresh = (TextClassifier(encoders=(), views=("words", "style"), folds=2) for _ in range(2))
    again.fit(texts, labels)
    assert again.chosen == "words"
    again.save(tmp_path)
    other = [text[::-1] for text in texts]
    fresh.fit(other, labels)
    for before in (again, TextClassifier.load(tmp_path)):
        before.fit(other, labels)
        assert before.validation == fresh.validation
        assert before.score(other).tolist() == fresh.score(other).tolist()


def test_saved_and_loaded_says_the_same(classifier: TextClassifier, tmp_path) -> None:
    texts, _ = make_texts(20, seed=6)
    classifier.save(tmp_path)
    loaded = TextClassifier.load(tmp_path)
    np.testing.assert_allclose(loaded.score(texts), classifier.score(texts), atol=0.01)
    assert loaded.chosen == classifier.chosen
    assert not [file for file in tmp_path.iterdir() if file.suffix not in (".npz", ".json")]
    (tmp_path / "arrays.npz").write_bytes(b"PK")
    with pytest.raises(ArtefactError):
        TextClassifier.load(tmp_path)


@pytest.mark.parametrize("text", ["", None, " \n", "\ud800", "\0", "很好" * 4000, "a" * 50_000, "👍👍", "12", "السلام"])
def test_odd_texts_have_an_answer(classifier: TextClassifier, text: str | None) -> None:
    assert 0 <= classifier.score([text])[0] <= 1


def test_no_texts_no_answers(classifier: TextClassifier) -> None:
    assert classifier.score([]).shape == (0,)


def test_answers_do_not_depend_on_company(classifier: TextClassifier) -> None:
    texts, _ = make_texts(12, seed=8)
    alone = np.concatenate([classifier.score([text]) for text in texts])
    np.testing.assert_array_equal(classifier.score(texts), alone)


def test_ratios_of_ngrams_by_hand() -> None:
    texts, labels = ["a b", "a c", "b d", "b d"], np.array([0, 0, 1, 1])
    view = make_views(("words=",), ())[0]
    view.fit(Inputs(texts, {}), labels, 2, balanced=False)
    # Kept, for two texts have them: a (in two and none), b (in one and two), d (none and two), b d (none and two).
    inside, outside = np.array([0, 2, 2, 2]) + 0.5, np.array([2, 1, 0, 0]) + 0.5
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    said = view.decide(Inputs(["a", "b d b d", "unknown"], {}))[:, 0]
    np.testing.assert_allclose(said, [ratio[0], ratio[1:].mean(), 0], rtol=1e-5)


def test_an_encoder_is_kept_where_it_makes_the_same_texts_surer() -> None:
    random = np.random.default_rng(2)
    codes = random.integers(0, 2, 500)
    said = (2 * codes - 1 + random.normal(0, 1.5, (3, 500))).astype(np.float32)[:, :, None]
    noise = random.normal(size=(500, 1)).astype(np.float32)
    fold = np.arange(500) % 5
    of_words = {"words": said[0], "characters": said[1]}
    chosen, stack, _ = choose_stack({**of_words, "minilm_layers": said[2]}, codes, 2, fold, objective="accuracy")
    assert chosen in ("grams and minilm_layers", "all")
    assert "minilm_layers" in stack.names
    chosen, _, _ = choose_stack({**of_words, "minilm_layers": noise}, codes, 2, fold, objective="accuracy")
    assert chosen == "grams"


def test_several_classes_and_names_with_extra_facts() -> None:
    texts, labels = make_texts(60)
    names = np.array(["honest", "paid"])[labels].astype(object)
    names[::6] = "advert"
    texts = [f"visit my page {text}" if name == "advert" else text for text, name in zip(texts, names, strict=True)]
    stars = np.where(names == "paid", 5.0, 3.0)[:, None]
    classifier = TextClassifier(objective="macro_f1", **FAST).fit(texts, names.astype(str), extra=stars)
    assert classifier.classes == ["advert", "honest", "paid"]
    said = classifier.predict(texts, extra=stars)
    assert measure_answers(
        np.searchsorted(classifier.classes, names.astype(str)), np.searchsorted(classifier.classes, said), 3, "macro_f1"
    ) > 0.9  # fmt: skip
    with pytest.raises(InputError):
        classifier.score(texts)


def test_shuffled_labels_give_chance_and_row_numbers_nothing() -> None:
    texts, labels = make_texts(160)
    asked, truth = make_texts(80, seed=3)
    random = np.random.default_rng(1)
    found = []
    for _ in range(3):
        shuffled = TextClassifier(**FAST).fit(texts, random.permutation(labels))
        found.append(((shuffled.score(asked) > 0.5) == np.array(truth)).mean())
    assert abs(np.mean(found) - 0.5) < 0.3
    order = random.permutation(160)
    numbers = np.linspace(-1, 1, 160)[:, None]
    told = TextClassifier(**FAST).fit([texts[row] for row in order], np.array(labels)[order], extra=numbers)
    right = (told.score(asked, extra=np.zeros((80, 1))) > 0.5) == np.array(truth)
    assert right.mean() > 0.95


def test_equal_texts_stay_in_one_fold() -> None:
    # With copies across folds, texts learned by heart would look like knowledge.
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(THINGS, 6)) + f" {number}" for number in range(30)] * 4
    labels = np.tile(random.integers(0, 2, 30), 4)
    classifier = TextClassifier(**FAST).fit(texts, labels)
    assert max(classifier.validation.values()) < 0.8


def test_best_set_is_chosen_out_of_fold() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 2, 400)
    good = (codes + random.normal(0, 0.3, 400)).astype(np.float32)[:, None]
    noise = random.normal(size=(400, 1)).astype(np.float32)
    chosen, stack, figures = choose_stack(
        {"good": good, "noise": noise}, codes, 2, np.arange(400) % 4, objective="accuracy"
    )
    assert chosen in ("good", "grams")
    weights = np.abs(stack.weights[1] - stack.weights[0])
    assert weights[-1] < 0.1 * weights[0] or stack.names == ("good",)
    assert figures["noise"] < 0.6 < figures["good"]


def test_of_a_class_with_few_texts_no_view_is_chosen() -> None:
    random = np.random.default_rng(0)
    noise = {name: random.normal(size=(2_000, 1)).astype(np.float32) for name in ("words", "characters", "style")}
    for rare, several in ((99, True), (100, False)):
        codes = np.zeros(2_000, np.int64)
        codes[random.permutation(2_000)[:rare]] = 1
        chosen, stack, figures = choose_stack(noise, codes, 2, np.arange(2_000) % 4, objective="accuracy")
        assert (chosen == "grams") == several
        assert len(stack.names) == (3 if several else 1)
        assert set(figures) == {*noise, "grams"}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [({"views": ("nothing",)}, UsageError), ({"encoders": ("bert",)}, UsageError), ({"folds": 1}, UsageError),
     ({"views": (), "encoders": ()}, UsageError), ({"objective": "luck"}, UsageError)],
)  # fmt: skip
def test_settings_are_checked(settings: dict, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        TextClassifier(**settings)


def test_training_texts_are_checked() -> None:
    with pytest.raises(NotReadyError):
        TextClassifier(**FAST).score(["a"])
    for texts, labels in ((["a"] * 9, [0] * 9), (["a"] * 9, [0, 1]), (["a"] * 9, [0] * 7 + [1] * 2), ("abc", [1])):
        with pytest.raises(InputError):
            TextClassifier(**FAST).fit(texts, labels)
    with pytest.raises(InputError):
        TextClassifier(**FAST).fit([1, 2] * 9, [0, 1] * 9)  # type: ignore[list-item]


def test_grams_by_hand() -> None:
    grams = Grams(low=1, high=2, least_texts=1).fit(["a b a", "b c"])
    rows = grams.transform(["a b a"])
    # a twice, b once, the pairs a b and b a once each.
    expected = np.array([(1 + np.log(2)) * (np.log(3 / 2) + 1), 1.0, np.log(3 / 2) + 1, np.log(3 / 2) + 1])
    np.testing.assert_allclose(np.sort(rows.values), np.sort(expected / np.linalg.norm(expected)), rtol=1e-5)
    assert np.linalg.norm(grams.transform(["unknown words only"]).values) == 0
    with pytest.raises(NotReadyError):
        Grams().transform(["a"])


@pytest.mark.parametrize("unit", ["words", "characters", "frames"])
def test_chunks_change_nothing(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, _ = make_texts(50)
    whole = Grams(unit=unit).fit(texts)  # type: ignore[arg-type]
    rows = whole.transform(texts)
    monkeypatch.setattr("floorwalker.detectors.content.grams.CHUNK", 7)
    parts = Grams(unit=unit).fit(texts)  # type: ignore[arg-type]
    np.testing.assert_array_equal(parts.transform(texts).values, rows.values)
    np.testing.assert_array_equal(parts.transform(texts).starts, rows.starts)


def test_frames_keep_common_words() -> None:
    assert common_words(["the cat", "the dog", "the end"], 1) == ("the",)
    assert frame_of("The Cat saw 3 dogs!", {"the"}) == "the ǃat ǂaw ǀ ǂgs !"


def test_style_by_hand() -> None:
    rows = dict(zip(STYLE_FEATURES, style_rows(["AB cd, 12!!"])[0].tolist(), strict=True))
    assert rows["capitals"] == pytest.approx(2 / 11)
    assert rows["digits"] == pytest.approx(2 / 11)
    assert rows["log_words"] == pytest.approx(np.log1p(6))
    assert rows["words_all_capitals"] == pytest.approx(1 / 6)
    assert count_words(["AB cd, 12!!", "", "很好"]).tolist() == [6, 0, 2]
