"""Networks as JSON that reads back to equal graphs.

The form has a version, `FORMAT`; what has another one is refused. Graphs, instances and sources
stand in tables, so what is shared stays shared. Where a network was written is kept as files,
lines and columns, without the text.
"""
