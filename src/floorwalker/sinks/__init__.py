"""Decisions leave for the outside."""
