"""The shop's vocabulary: what can happen, to whom, and how it is recorded."""
