"""The OpenAPI document, and everything that can be made of it thrown at a real server."""

from __future__ import annotations

import contextlib

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error

from floorwalker.testing.shop_server import Shop, make_event

OPERATIONS = {
    ("post", "/v1/decisions"), ("get", "/v1/decisions/{decision_id}"), ("post", "/v1/decisions/{decision_id}/applied"),
    ("post", "/v1/events"), ("post", "/v1/labels"), ("delete", "/v1/labels/{label_id}"),
    ("get", "/v1/joined"), ("get", "/v1/calibration"), ("get", "/v1/suspects"),
    ("get", "/v1/entities/{entity}/{identity}"), ("get", "/v1/lists/{name}"), ("post", "/v1/lists/{name}"),
    ("delete", "/v1/lists/{name}"), ("post", "/v1/rules/reload"), ("get", "/health"),
    ("get", "/ready"), ("get", "/metrics"), ("get", "/version"), ("get", "/v1/collector.js"), ("post", "/v1/collect"),
}  # fmt: skip


def test_the_document_describes_every_route_and_its_bodies(shop: Shop) -> None:
    document = shop.client.get("/schema/openapi.json").json()
    found = {
        (method, path) for path, methods in document["paths"].items() for method in methods if method != "parameters"
    }
    assert found == OPERATIONS
    schemas = document["components"]["schemas"]
    assert schemas["Event"]["properties"]["amount_minor"]
    assert "ProblemBody" in schemas
    parameters = document["paths"]["/v1/suspects"]["get"]["parameters"]
    assert {each["name"] for each in parameters} == {"day", "limit", "shop"}
    assert schemas["SuspectReply"]["properties"]["suspicion"]
    collect = document["paths"]["/v1/collect"]["post"]
    assert collect["security"] == []
    assert collect["requestBody"]["content"]["text/plain"]["schema"]["$ref"].endswith("/CollectedMessage")
    assert schemas["CollectedMessage"]["properties"]["signals"]
    for path, method in (("/v1/decisions", "post"), ("/v1/events", "post"), ("/v1/labels", "post")):
        operation = document["paths"][path][method]
        assert operation["requestBody"]["required"] is True
        assert operation["security"] == [{"key": []}]
        assert {"401", "403", "409", "413", "422", "429", "503"} <= set(operation["responses"])
        assert [each["name"] for each in operation["parameters"]] == ["Idempotency-Key"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
def test_nothing_that_can_be_sent_makes_the_server_fail(shop: Shop, mode: schemathesis.GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{shop.client.base_url}/schema/openapi.json")
    tried: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def throw(case: schemathesis.Case) -> None:
            tried.append(case.path)
            case.call_and_validate(headers=shop.headers(), checks=[not_a_server_error])

        # An operation without parameters and body cannot be called wrongly.
        with contextlib.suppress(Unsatisfiable):
            throw()
    assert len(tried) > 400
    assert shop.decide(make_event()).status_code == 200
