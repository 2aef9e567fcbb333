"""Who stands behind an event: one spelling for each person's values, tokens in their place, facts derived from them."""

from floorwalker.events.identity.normalise import (
    DEFAULT_RULES,
    IdentityRules,
    PersonalValue,
    normalise,
    stored_value,
)
from floorwalker.events.identity.spellings import missing_form
from floorwalker.events.identity.tokens import Tokeniser, is_token

__all__ = [
    "DEFAULT_RULES",
    "IdentityRules",
    "PersonalValue",
    "Tokeniser",
    "is_token",
    "missing_form",
    "normalise",
    "stored_value",
]
