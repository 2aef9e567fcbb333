"""Floorwalker recognises malicious behaviour in online shops while it happens, and answers it."""

__version__ = "0.1.0"
