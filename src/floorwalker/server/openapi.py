"""The OpenAPI 3.1 document: bodies that we decode ourselves, and what every operation may be refused with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIType

from floorwalker.events.event import Event
from floorwalker.server.collector.message import CollectedMessage, CollectedReply
from floorwalker.server.problems import MEDIA_TYPE, ProblemBody
from floorwalker.server.replies import (
    AppliedBody,
    AppliedReply,
    DecisionReply,
    EventsReply,
    LabelBody,
    LabelReply,
    ListBody,
    ListEntryReply,
    RulesReply,
    SuspectsReply,
)

_TEMPLATE = "#/components/schemas/{name}"
_BODIES = (
    Event, AppliedBody, AppliedReply, DecisionReply, EventsReply, LabelBody, LabelReply, ListBody, ListEntryReply,
    ProblemBody, RulesReply, SuspectsReply, CollectedMessage, CollectedReply,
)  # fmt: skip
REFUSALS = {
    "400": "The body is no JSON, or a header cannot be read.",
    "401": "No valid API key.",
    "403": "The API key lacks the scope, or speaks for another shop.",
    "404": "Nothing of this name is kept.",
    "409": "The request conflicts with an earlier one.",
    "413": "The body is too large.",
    "415": "The body is of an unknown kind.",
    "422": "A field is not acceptable; `faults` names it.",
    "429": "Too many requests; see Retry-After.",
    "503": "Not ready, or the disk takes no more; see Retry-After.",
}


class DocumentPlugin(JsonRenderPlugin):
    """Serves the document with the schemas of all bodies, which Litestar would replace by those it finds itself."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        _, schemas = msgspec.json.schema_components(_BODIES, ref_template=_TEMPLATE)
        parts = openapi_schema.setdefault("components", {})
        parts["schemas"] = {**parts.get("schemas", {}), **schemas}
        return msgspec.json.encode(openapi_schema)


def components() -> Components:
    """How callers prove who they are."""
    return Components(
        security_schemes={"key": SecurityScheme(type="http", scheme="bearer", description="An API key: fw_…")}
    )


def operation(
    body: str | None,
    media_types: tuple[str, ...],
    reply: type | None,
    *,
    idempotent: bool = False,
    public: bool = False,
) -> type[Operation]:
    """An operation whose body and reply are described by our own schemas.

    Parameters
    ----------
    body : name of the body's schema; None for no body. `[]` before it means an array, or one object a line.
    media_types : kinds of body.
    reply : struct of the reply; None for an object that is described in words.
    idempotent : takes an Idempotency-Key.
    public : needs no API key.
    """

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            if body is not None:
                single = Reference(ref=_TEMPLATE.format(name=body.removeprefix("[]")))
                many = Schema(type=OpenAPIType.ARRAY, items=single)
                is_many = body.startswith("[]")
                self.request_body = RequestBody(
                    required=True,
                    content={
                        kind: OpenAPIMediaType(schema=many if is_many and "ndjson" not in kind else single)
                        for kind in media_types
                    },
                )
            if idempotent:
                self.parameters = [
                    *(self.parameters or []),
                    Parameter(
                        name="Idempotency-Key",
                        param_in="header",
                        schema=Schema(type=OpenAPIType.STRING, min_length=1, max_length=255, pattern=r"^[!-~]+$"),
                        description="The same key and body gets the first reply for 24 hours; another body 409.",
                    ),
                ]
            answers: dict[str, Any] = dict(self.responses or {})
            for status, answer in answers.items():
                if status.startswith("2") and reply is not None:
                    schema = Reference(ref=_TEMPLATE.format(name=reply.__name__))
                    answer.content = {"application/json": OpenAPIMediaType(schema=schema)}
            answers.pop("400", None)
            for status, meaning in REFUSALS.items():
                answers[status] = OpenAPIResponse(
                    description=meaning,
                    content={MEDIA_TYPE: OpenAPIMediaType(schema=Reference(ref=_TEMPLATE.format(name="ProblemBody")))},
                )
            self.responses = answers
            self.security = [] if public else [{"key": []}]

    return Described
