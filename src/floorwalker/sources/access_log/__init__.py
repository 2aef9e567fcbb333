"""Access logs of web servers, load balancers and content delivery networks, as batches of requests."""

from __future__ import annotations

from floorwalker.sources.access_log._columns import RequestTables
from floorwalker.sources.access_log._reader import AccessLog
from floorwalker.sources.access_log._recognition import DetectedFormat
from floorwalker.sources.access_log.formats import list_formats

__all__ = ["AccessLog", "DetectedFormat", "RequestTables", "list_formats"]
