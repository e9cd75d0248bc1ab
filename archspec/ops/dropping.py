"""Inputs that an op drops in training, so that they need not be computed."""

from __future__ import annotations

from archspec.frozen import frozen


@frozen
class KeptMean:
    """An op that yields the mean of the inputs that are kept; in inference, of all inputs.

    In training an input is dropped with probability `drop`. If the op shares a `draw`, it may keep
    only one column; columns are counted from the last input. At least one input is kept.
    """

    drop: float = 0.0
    draw: str | None = None

    @property
    def drops(self) -> bool:
        """Whether inputs are dropped."""
        return bool(self.drop or self.draw)


@frozen
class Skipped:
    """An op that yields zeros for the whole batch with probability `p`, 0 < p < 1, in training.

    Otherwise it yields its input, scaled by 1 / (1 - p) if `in_training`; if not, the result is
    scaled by 1 - p in inference instead.
    """

    p: float
    in_training: bool
