"""Sequence models on behaviour: an LSTM whose state follows each live account, and a causal Transformer."""
