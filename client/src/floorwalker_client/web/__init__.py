"""Guards for web applications: page views are told, answers are enforced."""

from floorwalker_client.web.collector import Collector
from floorwalker_client.web.guard import Guard, ask_always, ask_when_changing, skip_static
from floorwalker_client.web.visit import Visit

__all__ = ["Collector", "Guard", "Visit", "ask_always", "ask_when_changing", "skip_static"]
