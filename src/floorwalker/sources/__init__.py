"""Foreign bytes become events."""
