"""One folder a family, one file a detector; each turns features into opinions."""
