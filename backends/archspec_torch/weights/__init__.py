"""External weights: files, selection of their entries, comparison with a network, folding."""
