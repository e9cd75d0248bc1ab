"""The statements of `forward`: one unit, in each mode and in each of its uses."""
