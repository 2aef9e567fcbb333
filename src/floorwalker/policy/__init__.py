"""Risk becomes a decision here and nowhere else: thresholds, lists, shadow mode."""
