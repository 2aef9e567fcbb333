"""The browser collector: its script, what it sends, and who may send it."""
