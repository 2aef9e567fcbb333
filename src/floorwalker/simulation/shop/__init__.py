"""A whole shop: its customers, those who prey on it, and what the shop later learns of both."""
