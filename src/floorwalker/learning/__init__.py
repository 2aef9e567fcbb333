"""Trains what the other rooms serve."""
