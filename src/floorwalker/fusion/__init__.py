"""Signals of single detectors become risk per abuse type, with causes and with what did not answer."""
