"""Loads and saves artefacts: ONNX graphs, arrays, manifests; never pickles."""
