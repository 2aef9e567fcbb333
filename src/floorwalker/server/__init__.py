"""The HTTP API: events in, decisions out, nothing lost; the only writer of the OpenAPI document."""
