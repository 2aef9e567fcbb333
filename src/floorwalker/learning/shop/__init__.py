"""Models of a whole shop: its history as columns, labels of what became known, training, and what serves."""
