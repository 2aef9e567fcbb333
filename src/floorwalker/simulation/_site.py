"""A generated site: its pages by route, with the truth of which URLs are of one type."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = (
    "product",
    "category",
    "search",
    "offer",
    "login",
    "basket",
    "checkout",
    "callback",
    "feed",
    "asset",
    "beacon",
    "health",
    "other",
)
"""What a route is for; `offer` covers coupons, deals, flash sales and stock checks."""


@dataclass(frozen=True)
class Page:
    """The URLs of one type.

    Parameters
    ----------
    route : the type's name, unique in the site, e.g. `/product/{slug}-{id}`.
    role : one of `ROLES`.
    targets : request targets (path and query) of this type, at least one, all distinct; a state-changing endpoint has
        few.
    method : the method that requests to it use.
    state_changing : true for basket, checkout, login, coupon endpoints that must never merge with another.
    """

    route: str
    role: str
    targets: tuple[str, ...]
    method: str = "GET"
    state_changing: bool = False


@dataclass(frozen=True)
class Site:
    """A shop's URL space.

    Parameters
    ----------
    family : id of the family of sites that it belongs to (its URL grammar and vocabulary).
    host : its host name, under a reserved domain such as `shop.example`.
    pages : every type of URL that it has.
    """

    family: str
    host: str
    pages: tuple[Page, ...]

    def of_role(self, role: str) -> tuple[Page, ...]:
        """The pages of one role, in the site's order."""
        return tuple(page for page in self.pages if page.role == role)
