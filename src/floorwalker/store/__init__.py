"""Keeps things and knows nothing of their meaning."""
