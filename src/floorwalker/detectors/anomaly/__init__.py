"""Unsupervised outlier detectors over feature matrices."""
