"""Writes every text of the shop: who writes decides how often which kind of sentence comes, and nothing else.

Honest and abusive writers share grammars, models, words and slips. They differ in emphasis, as real ones do: paid
praise speaks a little more of recommending and a little less of use, and has fewer buts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from floorwalker.errors import UsageError
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.world._tables import Texts, texts
from floorwalker.simulation.shop.world.catalogue import CATEGORY_IDS, Items
from floorwalker.simulation.shop.world.text.grammar import LANGUAGES, SHOPS_OWN, read_grammar
from floorwalker.simulation.shop.world.text.hand import disguise, draw_hand, join_sentences
from floorwalker.simulation.shop.world.text.model import fill_goods, fitted_model

_TOPICS = ("quality", "use", "delivery", "value", "compare", "recommend", "service")


@dataclass(frozen=True)
class Style:
    """How one kind of writer writes.

    Parameters
    ----------
    topics : weights of quality, use, delivery, value, compare, recommend, service.
    length : median number of sentences.
    short : share of texts of one or two words.
    hedges : share of good reviews with a but.
    care : of the hand, 0 to 1.
    sharp : whether the model prefers frequent words.
    """

    topics: tuple[float, ...]
    length: float
    short: float
    hedges: float
    care: float
    sharp: bool = False


REVIEW_STYLES: dict[str, Style] = {
    "honest": Style((3.0, 2.0, 1.3, 1.2, 0.7, 0.9, 0.5), 2.3, 0.24, 0.22, 0.45),
    "bought": Style((2.6, 0.8, 1.9, 1.6, 0.2, 3.1, 0.9), 2.8, 0.1, 0.05, 0.45),
    "template": Style((2.7, 1.1, 1.7, 1.5, 0.35, 2.2, 0.7), 2.6, 0.1, 0.06, 0.55),
    "machine": Style((3.2, 2.0, 1.2, 1.3, 0.7, 1.3, 0.5), 3.0, 0.04, 0.15, 0.85, True),
    "camouflaged": Style((2.8, 1.0, 1.7, 1.5, 0.3, 2.5, 0.7), 2.6, 0.12, 0.08, 0.45),
}
"""Who writes reviews: honest customers, paid real people, fillers of one template, machines, and careful ones."""

LISTING_STYLES: dict[str, tuple[float, float, float]] = {
    "honest": (0.24, 0.06, 0.0008),
    "counterfeit": (0.8, 0.3, 0.03),
    "bait": (0.84, 0.16, 0.015),
}
"""Share of listings that push, share that hold look-alike letters, and the share of letters then swapped."""

_Parts = tuple[tuple[str, float], ...]
_ACCOUNT: _Parts = (("account", 1.0),)
_MISSING: _Parts = (("missing", 1.0), ("claim", 0.78))
_DAMAGED: _Parts = (("damaged", 1.0), ("claim", 0.7))
_RETURN: _Parts = (("return", 1.0), ("claim", 0.25))
_QUESTION: _Parts = (("question", 1.0),)
_ANSWER: _Parts = (("answer", 1.0),)
_NOTE: _Parts = (("answer", 0.6), ("offplatform", 0.45))

MESSAGE_STYLES: dict[str, tuple[tuple[float, _Parts], ...]] = {
    "question": ((0.6, _QUESTION), (0.18, _ANSWER), (0.22, _NOTE)),
    "support": ((0.24, _ACCOUNT), (0.3, _MISSING), (0.22, _DAMAGED), (0.24, _RETURN)),
    "livestream": ((1.0, (("live", 1.0),)),),
    "account": ((1.0, _ACCOUNT),),
    "missing": ((1.0, _MISSING),),
    "damaged": ((1.0, _DAMAGED),),
    "return": ((1.0, _RETURN),),
    "answer": ((1.0, _ANSWER),),
    "seller_note": ((1.0, _NOTE),),
    "claim_missing": ((0.72, (("missing", 1.0), ("claim", 0.85), ("claim", 0.2))), (0.28, _RETURN)),
    "claim_damaged": ((0.7, (("damaged", 1.0), ("claim", 0.82), ("claim", 0.2))), (0.3, _RETURN)),
    "spam": ((0.24, _QUESTION), (0.12, _ANSWER), (0.64, (("answer", 0.35), ("offplatform", 0.85)))),
}
"""What may be in a message: one of several mixtures, and in it kinds of sentence, each with its chance to be there.

`question` is what customers and sellers write to each other, `support` what customers write to the shop; `claim_…` is
what refund abusers write, `spam` what those write who lead buyers away: honest sellers offer rebates and ask for
reviews as well, and many claims begin as returns.
"""


class Writer:
    """Writes every text of the shop.

    Parameters
    ----------
    items : the catalogue.
    chance : names the items.
    """

    def __init__(self, items: Items, chance: Chance) -> None:
        self._items, self._chance = items, chance

    @staticmethod
    def language_of(tag: str) -> str:
        """In which of the three languages somebody writes whose browser asks for `tag`.

        >>> Writer.language_of("de-AT"), Writer.language_of("zh-CN"), Writer.language_of("pl-PL")
        ('de', 'zh', 'en')
        """
        return tag[:2] if tag[:2] in LANGUAGES else "en"

    def titles(self) -> Texts:
        """What each item is called: maker, thing, and a number of the series."""
        numbers = np.arange(len(self._items))
        brand = self._chance.words("title/brand", numbers).tolist()
        noun = self._chance.words("title/noun", numbers).tolist()
        goods = read_grammar("en").categories
        made = []
        for row, category in enumerate(self._items.category.tolist()):
            nouns = goods[CATEGORY_IDS[category]]["noun"]
            maker = SHOPS_OWN[brand[row] % len(SHOPS_OWN)]
            made.append(f"{maker} {nouns[noun[row] % len(nouns)]} {(noun[row] >> 32) % 900 + 100}")
        return texts(made)

    def review(
        self,
        rng: Generator,
        item: int,
        stars: float,
        style: str = "honest",
        language: str = "de",
        author: int | None = None,
    ) -> str:
        """A review.

        Parameters
        ----------
        item : its number.
        stars : 0 to 1; what is written goes with it.
        style : one of `REVIEW_STYLES`.
        language : a tag such as `de-AT`.
        author : whoever has the same number has the same hand, and with the style `template` the same template.
        """
        if style not in REVIEW_STYLES:
            raise UsageError(f"no style of reviews is called {style!r}", allowed=", ".join(REVIEW_STYLES))
        how, tongue = REVIEW_STYLES[style], self.language_of(language)
        own = rng if author is None else np.random.default_rng([author & 0x7FFFFFFF, 17])
        hand = draw_hand(own, how.care)
        category, named = self._named(rng, item, tongue)
        mood = "+" if stars > 0.7 else "-" if stars < 0.4 else "="
        draws = rng.random(4).tolist()
        if draws[0] < how.short:
            words = read_grammar(tongue).write(f"short{mood}", category, rng).split()
            return join_sentences([words], tongue, hand, rng)
        count = int(np.clip(round(how.length * np.exp(0.55 * rng.standard_normal())), 1, 9))
        if style == "template" and author is not None:
            count, rng_topics = 2 + author % 3, np.random.default_rng([author & 0x7FFFFFFF, 23])
        else:
            rng_topics = rng
        topics = self._topics(rng_topics, how.topics, count)
        sentences = [
            fill_goods(
                fitted_model(tongue, self._kind(topic, mood, rng)).write(rng, sharp=how.sharp),
                tongue,
                category,
                rng,
                named,
            )
            for topic in topics
        ]
        if (mood == "+" and draws[1] < how.hedges) or (mood == "=" and draws[1] < 0.8):
            at = int(draws[2] * (len(sentences) + 1))
            sentences.insert(
                at, fill_goods(fitted_model(tongue, "hedge").write(rng, sharp=how.sharp), tongue, category, rng, named)
            )
        return join_sentences(sentences, tongue, hand, rng)

    def listing(self, rng: Generator, item: int, style: str = "honest", language: str = "de") -> str:
        """A seller's description of an item.

        Parameters
        ----------
        style : one of `LISTING_STYLES`: counterfeits and baits push more often, and swap letters for look-alikes to
            slip past filters; catalogues copied by honest sellers hold a few such letters too.
        """
        if style not in LISTING_STYLES:
            raise UsageError(f"no style of listings is called {style!r}", allowed=", ".join(LISTING_STYLES))
        push, looks, share = LISTING_STYLES[style]
        tongue = self.language_of(language)
        category, named = self._named(rng, item, tongue)
        kinds = ["offer", *["detail"] * int(rng.integers(1, 5)), *["shipping"] * int(rng.integers(1, 4))]
        if rng.random() < push:
            kinds.insert(int(rng.integers(1, len(kinds) + 1)), "push")
        sentences = [fill_goods(fitted_model(tongue, kind).write(rng), tongue, category, rng, named) for kind in kinds]
        text = join_sentences(sentences, tongue, draw_hand(rng, 0.8), rng)
        if rng.random() < looks:
            text = disguise(text, rng, share)
        return text

    def message(self, rng: Generator, item: int, style: str = "question", language: str = "de") -> str:
        """What somebody writes to another user or to the support; `style` is one of `MESSAGE_STYLES`."""
        if style not in MESSAGE_STYLES:
            raise UsageError(f"no style of messages is called {style!r}", allowed=", ".join(MESSAGE_STYLES))
        tongue = self.language_of(language)
        category, named = self._named(rng, item, tongue)
        grammar = read_grammar(tongue)
        mixtures = MESSAGE_STYLES[style]
        draw, parts = rng.random(), mixtures[-1][1]
        for share, candidate in mixtures:
            if draw < share:
                parts = candidate
                break
            draw -= share
        kinds = [kind for kind, share in parts if rng.random() < share] or [parts[0][0]]
        sentences = [fill_goods(fitted_model(tongue, kind).write(rng), tongue, category, rng, named) for kind in kinds]
        if style != "livestream":
            if rng.random() < 0.55:
                sentences.insert(0, grammar.write("open", category, rng).split())
            if rng.random() < 0.45:
                sentences.append(grammar.write("thanks", category, rng).split())
        return join_sentences(sentences, tongue, draw_hand(rng, 0.35), rng)

    def search(self, rng: Generator, item: int, language: str = "de") -> str:
        """What somebody types who looks for an item."""
        tongue = self.language_of(language)
        goods = read_grammar(tongue).categories[CATEGORY_IDS[int(self._items.category[item])]]
        draws = rng.random(4).tolist()
        noun = goods["noun"][int(draws[0] * len(goods["noun"]))]
        maker = str(self._items.title[item]).partition(" ")[0]
        colour = read_grammar(tongue).rules["colour"]
        if draws[1] < 0.25:
            words = [maker, noun]
        elif draws[1] < 0.45:
            words = [noun, colour[int(draws[2] * (len(colour) - 1))]]
        elif draws[1] < 0.52:
            words = [maker]
        elif draws[1] < 0.6:
            words = [*str(self._items.title[item]).split()]
        else:
            words = [noun]
        return ("" if tongue == "zh" else " ").join(words).lower()

    def _named(self, rng: Generator, item: int, language: str) -> tuple[str, dict[str, str]]:
        item = item % len(self._items)
        category = CATEGORY_IDS[int(self._items.category[item])]
        nouns = read_grammar(language).categories[category]["noun"]
        maker = str(self._items.title[item]).partition(" ")[0]
        return category, {"noun": nouns[int(rng.random() * len(nouns))], "own": maker}

    @staticmethod
    def _topics(rng: Generator, weights: tuple[float, ...], count: int) -> list[str]:
        """Different topics, in the order in which people come to them."""
        keys = np.log(rng.random(len(weights))) / np.asarray(weights)  # Efraimidis and Spirakis (2006)
        chosen = np.argsort(-keys)[: min(count, len(weights))]
        return [_TOPICS[place] for place in chosen.tolist()]

    @staticmethod
    def _kind(topic: str, mood: str, rng: Generator) -> str:
        if topic in ("use", "compare"):
            return topic
        draw = rng.random()
        if mood == "+":
            good = draw < 0.95
        elif mood == "-":
            good = draw < 0.14
        else:
            good = draw < 0.55
        return f"{topic}{'+' if good else '-'}"
