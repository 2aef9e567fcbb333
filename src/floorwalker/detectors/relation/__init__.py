"""Who shares what with whom: graph neural networks, neighbour aggregates and rings."""
