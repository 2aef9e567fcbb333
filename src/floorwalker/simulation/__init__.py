"""Generated shops, honest visitors and those who prey on them; sees only the vocabulary of events."""
