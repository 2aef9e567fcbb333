"""Routes: URLs of the same type merged, so that page counts mean what they say."""

from floorwalker.features.routes._table import RouteTable
from floorwalker.features.routes.roles import ROLES, guess_role, match_role, read_roles

__all__ = ["ROLES", "RouteTable", "guess_role", "match_role", "read_roles"]
