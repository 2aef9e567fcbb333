"""A site's targets as flat arrays, by what a visitor does there."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.events.requests import METHODS
from floorwalker.simulation._site import Page, Site
from floorwalker.simulation.access_log._chance import hash_unit

(
    HOME, CATEGORY, PRODUCT, SEARCH, OFFER, CLAIM, STOCK, LOGIN, LOGIN_POST, BASKET, ADD, CHECKOUT, PAY, OTHER,
    CALLBACK,
    FEED, BEACON, HEALTH, ASSET, STRAY,
) = range(20)  # fmt: skip
"""Kinds of step. Views of a page: HOME … BASKET, CHECKOUT, OTHER. Acts: CLAIM (a coupon), LOGIN_POST, ADD (to the
basket), PAY. STOCK is the
availability call, STRAY a target that the shop does not have."""

KIND_COUNT = 20
ACTS = (CLAIM, LOGIN_POST, ADD, PAY)

GET, POST, HEAD = METHODS.index("GET"), METHODS.index("POST"), METHODS.index("HEAD")

_FALLBACK = {
    HOME: (OTHER, CATEGORY, PRODUCT), CATEGORY: (SEARCH, HOME, PRODUCT), PRODUCT: (CATEGORY, OTHER),
    SEARCH: (CATEGORY,), OFFER: (CATEGORY,), CLAIM: (ADD, BASKET), STOCK: (OFFER, PRODUCT),
    LOGIN: (LOGIN_POST, OTHER), LOGIN_POST: (LOGIN,), BASKET: (OTHER,), ADD: (BASKET,), CHECKOUT: (PAY, BASKET),
    PAY: (CHECKOUT,), OTHER: (HOME, CATEGORY), CALLBACK: (OTHER,), FEED: (HOME,), BEACON: (), HEALTH: (HOME,),
    ASSET: (), STRAY: (),
}  # fmt: skip

_PRINCIPAL = {LOGIN: 0, LOGIN_POST: 0, BASKET: 0, ADD: 0, PAY: -2}
"""Position of the main page among a kind's types: sites name log in and add to basket first, payment before the end."""

_STATIC_ENDINGS = (".css", ".js", ".woff", ".woff2", ".ttf", ".ico", ".svg", ".map", ".mjs", ".json")
_NOT_FETCHED = ("robots.txt", ".xml", ".webmanifest", ".pdf")


def _kind_of(page: Page, per_item: float) -> int:
    """The kind of a type of page; an `offer` view that exists for every other product is an availability call."""
    acts = page.method != "GET" or page.state_changing
    if page.role == "offer":
        if acts:
            return CLAIM
        return STOCK if len(page.targets) > per_item or "stock" in page.route.lower() else OFFER
    if page.role == "login":
        return LOGIN_POST if acts else LOGIN
    if page.role == "basket":
        return ADD if acts else BASKET
    if page.role == "checkout":
        return PAY if acts else CHECKOUT
    plain = {
        "product": PRODUCT, "category": CATEGORY, "search": SEARCH, "callback": CALLBACK, "feed": FEED, "asset": ASSET,
        "beacon": BEACON, "health": HEALTH,
    }  # fmt: skip
    return plain.get(page.role, OTHER)


class Catalogue:
    """The targets of a site: what each is for, how it is asked for, how popular it is.

    Popularity follows Zipf's law within a type of page, in an order drawn at random so that nothing can be read off
    a target's position.

    Parameters
    ----------
    site : the site.
    chance : draws popularity, sizes and which products are gone.
    """

    def __init__(self, site: Site, chance: Generator) -> None:
        self.site = site
        self.texts: list[str] = []
        kinds: list[int] = []
        methods: list[int] = []
        self._of_kind: dict[int, list[NDArray[np.int32]]] = {}
        products = max((len(page.targets) for page in site.of_role("product")), default=0)
        for page in site.pages:
            kind = _kind_of(page, max(24.0, 0.3 * products))
            first = len(self.texts)
            self.texts.extend(page.targets)
            kinds.extend([kind] * len(page.targets))
            methods.extend([METHODS.index(page.method) if page.method in METHODS else GET] * len(page.targets))
            ids = np.arange(first, len(self.texts), dtype=np.int32)
            self._of_kind.setdefault(kind, []).append(chance.permutation(ids))
        self.kind = np.array(kinds, np.uint8)
        self.method = np.array(methods, np.uint8)
        self._index = {text: position for position, text in enumerate(self.texts)}
        self._choose_home()
        self._split_assets()
        self.seed = int(chance.integers(1 << 62))
        self.own = len(self.texts)
        self.is_gone = (hash_unit(np.arange(self.own), self.seed ^ 0x60E) < 0.015) & (self.kind == PRODUCT)

    def _choose_home(self) -> None:
        others = [int(target) for group in self._of_kind.get(OTHER, []) for target in group]
        home = self._index.get("/", min(others, key=lambda target: len(self.texts[target]), default=-1))
        if home >= 0:
            self._of_kind[HOME] = [np.array([home], np.int32)]
            self.kind[home] = HOME
            kept = [group[group != home] for group in self._of_kind.get(OTHER, [])]
            self._of_kind[OTHER] = [group for group in kept if len(group)]
            if not self._of_kind[OTHER]:
                del self._of_kind[OTHER]

    def _split_assets(self) -> None:
        assets = np.concatenate(self._of_kind.get(ASSET, [np.empty(0, np.int32)]))
        assets = assets[np.array([not self.texts[t].lower().endswith(_NOT_FETCHED) for t in assets], bool)]
        static = np.array(
            [self.texts[t].partition("?")[0].lower().endswith(_STATIC_ENDINGS) for t in assets], dtype=bool
        )
        self.static_files: NDArray[np.int32] = assets[static][:40]
        self.images: NDArray[np.int32] = assets[~static]

    def has(self, kind: int) -> bool:
        """Whether the shop itself has a page of this kind (else `pick` answers with a stand-in)."""
        return kind in self._of_kind

    def groups(self, kind: int) -> list[NDArray[np.int32]]:
        """Targets of a kind, one array a type of page, most popular first; a kind the shop lacks is stood in for."""
        return self._of_kind.get(self.stand_in(kind), [np.zeros(1, np.int32)])

    def stand_in(self, kind: int) -> int:
        """The kind itself where the shop has it, else the nearest that it has."""
        return next((k for k in (kind, *_FALLBACK[kind]) if k in self._of_kind), kind)

    def pick(self, kind: int, which: NDArray[np.float64], rank: NDArray[np.float64]) -> NDArray[np.int32]:
        """Targets of a kind for uniform draws float64 [n]: `which` type of page, `rank` within it by Zipf's law."""
        groups = self.groups(kind)
        weights = np.array([1.0 + np.log(len(group)) for group in groups])
        main = _PRINCIPAL.get(self.stand_in(kind))
        if main is not None and len(groups) > 1:
            # Of the forms of a kind one does the work: add rather than clear, log in rather than log out.
            weights = np.where(np.arange(len(groups)) == main % len(groups), 0.85, 0.15 / (len(groups) - 1))
        edges = np.cumsum(weights / weights.sum())[:-1]
        chosen = np.searchsorted(edges, which, side="right")
        counts = np.array([len(group) for group in groups])
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        rank_in = (np.exp(rank * np.log(counts[chosen] + 1.0)) - 1.0).astype(np.int64)
        flat = np.concatenate(groups)
        target: NDArray[np.int32] = flat[starts[chosen] + np.minimum(rank_in, counts[chosen] - 1)]
        return target

    def method_of(self, kind: int, target: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Methods for steps of a kind: a view is a GET, an act is what its page says."""
        if kind in ACTS:
            own = self.method[target]
            return np.where((own == GET) & ~self.has(kind), np.uint8(POST), own).astype(np.uint8)
        if kind in (CALLBACK, BEACON, STOCK):
            return self.method[target]
        return np.full(len(target), GET, np.uint8)

    def add(self, texts: list[str], kind: int = STRAY, method: int = GET) -> NDArray[np.int32]:
        """Ids of targets that the site's own list lacks, adding them where they are new."""
        ids = np.empty(len(texts), np.int32)
        new: list[str] = []
        for position, text in enumerate(texts):
            known = self._index.get(text)
            if known is None:
                known = self._index[text] = len(self.texts)
                self.texts.append(text)
                new.append(text)
            ids[position] = known
        self.kind = np.concatenate([self.kind, np.full(len(new), kind, np.uint8)])
        self.method = np.concatenate([self.method, np.full(len(new), method, np.uint8)])
        self.is_gone = np.concatenate([self.is_gone, np.zeros(len(new), bool)])
        return ids
