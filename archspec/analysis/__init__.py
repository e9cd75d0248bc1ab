"""Costs and valid sizes of graphs: folds over the graph of blocks, one file per analysis."""
