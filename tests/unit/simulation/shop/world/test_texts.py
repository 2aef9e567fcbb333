"""Texts: no class of writers has words of its own, and none can be told by a bag of words alone."""

import msgspec
import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.events.decode import decode_event
from floorwalker.events.event import Event
from floorwalker.simulation.shop.world.text.grammar import LANGUAGES, read_grammar
from floorwalker.simulation.shop.world.text.hand import disguise
from floorwalker.simulation.shop.world.text.model import KINDS, fitted_model
from floorwalker.simulation.shop.world.text.writer import LISTING_STYLES, MESSAGE_STYLES, REVIEW_STYLES

TONGUES = ("de-DE", "en-GB", "zh-CN", "pl-PL")


def test_languages_have_the_same_rules():
    first, *others = (read_grammar(language) for language in LANGUAGES)
    for grammar in others:
        assert set(grammar.categories) == set(first.categories)
        assert set(grammar.rules) ^ set(first.rules) <= {"i", "dem"}
        for words in grammar.categories.values():
            assert set(words) == {"noun", "aspect", "good", "bad", "fault", "use"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_stays_unwritten(world, language):
    rng = np.random.default_rng(1)
    written = [world.reviews(rng, item, stars, style, language) for style in REVIEW_STYLES for item in range(60)
               for stars in (0.0, 0.5, 1.0)]  # fmt: skip
    written += [world.listing_text(rng, item, style, language) for style in LISTING_STYLES for item in range(60)]
    written += [world.message_text(rng, item, style, language) for style in MESSAGE_STYLES for item in range(60)]
    written += [world.search_words(rng, item, language) for item in range(60)]
    assert all(text and "$" not in text for text in written)
    assert len(set(written)) > 0.6 * len(written)
    for text in written[::7]:
        event = Event(id="e-1", type="message", at=10**15, account="a-1", text=text)
        decode_event(msgspec.json.encode(event), now=10**15)


@pytest.mark.parametrize("kind", KINDS)
def test_models_say_new_things_in_known_words(kind):
    grammar, model, rng = read_grammar("en"), fitted_model("en", kind), np.random.default_rng(2)
    made = {" ".join(model.write(rng)) for _ in range(200)}
    assert len(made) > 5
    known = set(" ".join(grammar.write(kind, "shoes", rng) for _ in range(10)).split())
    assert known  # a rule of this kind exists in every category
    assert all(len(text.split()) < 40 for text in made)


def test_stars_and_words_agree(world):
    rng = np.random.default_rng(3)
    good, bad = ([world.reviews(rng, 20, stars, "honest", "en") for _ in range(400)] for stars in (1.0, 0.0))

    def share(texts, word):
        return np.mean([word in text.lower() for text in texts])

    assert share(bad, "not ") > 2 * share(good, "not ")
    assert share(good, "good") + share(good, "great") > share(bad, "good") + share(bad, "great")


def test_one_author_has_one_hand_and_one_template(world):
    def write(author, turn):
        return world.reviews(np.random.default_rng(turn), 5, 1.0, "template", "en", author)

    assert write(7, 1) == write(7, 1)
    starts = {author: {write(author, turn)[:1].islower() for turn in range(12)} for author in range(12)}
    assert sum(len(found) == 1 for found in starts.values()) == 12
    assert {len(found) for found in starts.values()} == {1}


def test_look_alikes_are_rare_with_honest_sellers_and_not_absent(world):
    rng = np.random.default_rng(4)

    def odd(style):
        texts = [world.listing_text(rng, item % 300, style, "en") for item in range(3_000)]
        return np.mean([any("\u0400" <= letter <= "\u04ff" for letter in text) for text in texts])

    honest, counterfeit = odd("honest"), odd("counterfeit")
    assert 0.0 < honest < 0.05
    assert counterfeit > 0.1
    assert disguise("aaaa", rng, 1.0) == "аааа"


@pytest.mark.parametrize("write", ["reviews", "listing_text", "message_text"])
def test_an_unknown_style_is_refused(world, write):
    arguments = (1, 1.0, "sincere") if write == "reviews" else (1, "sincere")
    with pytest.raises(UsageError, match="no style"):
        getattr(world, write)(np.random.default_rng(1), *arguments)


def test_a_bag_of_words_tells_some_and_not_all(world):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(5)

    def tongue():
        return str(rng.choice(TONGUES, p=[0.6, 0.2, 0.12, 0.08]))

    def item():
        return int(rng.integers(len(world.items)))

    honest, abusive = [], []
    for _ in range(800):
        stars = float(rng.choice([1.0, 0.75, 0.5, 0.25, 0.0], p=[0.56, 0.2, 0.09, 0.06, 0.09]))
        honest.append(world.reviews(rng, item(), stars, "honest", tongue()))
        stars = float(rng.choice([1.0, 0.75, 0.0], p=[0.78, 0.1, 0.12]))
        style = str(rng.choice(["bought", "template", "machine", "camouflaged"]))
        abusive.append(world.reviews(rng, item(), stars, style, tongue(), int(rng.integers(40))))
    for _ in range(400):
        honest.append(world.listing_text(rng, item(), "honest", tongue()))
        abusive.append(world.listing_text(rng, item(), str(rng.choice(["counterfeit", "bait"])), tongue()))
        honest.append(world.message_text(rng, item(), str(rng.choice(["question", "support"])), tongue()))
        abusive.append(world.message_text(rng, item(), str(rng.choice(["spam", "claim_missing"])), tongue()))
    texts = [*honest, *abusive]
    truth = np.arange(len(texts)) >= len(honest)
    held = rng.random(len(texts)) < 0.4
    bag = TfidfVectorizer(min_df=2, token_pattern=r"(?u)\w+").fit_transform(texts)
    model = LogisticRegression(max_iter=500).fit(bag[~held], truth[~held])
    scores = model.decision_function(bag[held])
    ranks = np.argsort(np.argsort(scores))
    bad = truth[held]
    auc = (ranks[bad].sum() - bad.sum() * (bad.sum() - 1) / 2) / (bad.sum() * (~bad).sum())
    assert 0.58 < auc < 0.80
