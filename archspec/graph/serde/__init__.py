"""Networks as JSON that can be read back to equal graphs.

The format has a version, `FORMAT`; other versions are refused. Graphs, instances and sources are in
tables, so that shared objects remain shared. Places in the source are stored as files, lines and
columns, without the text.
"""
