"""What a graph costs and what it takes: folds over the graph of blocks, one file a question."""
