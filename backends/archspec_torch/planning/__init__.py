"""Facts about each unit before its code is written: lowerings, arguments, results."""
