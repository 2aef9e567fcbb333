"""Texts of reviews, listings and messages, and how they behave: encoder, n-grams, near-duplicates; requests."""
