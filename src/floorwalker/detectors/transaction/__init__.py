"""Boosted trees and the classical models on rows of features."""
