"""What an op says of inputs that it drops in training, so that they need not be computed."""

from __future__ import annotations

from archspec.frozen import frozen


@frozen
class KeptMean:
    """An op that yields the mean of those of its inputs that are kept; of all in inference.

    In training an input is dropped with probability `drop`. Where it takes part in a `draw`, one
    column may be kept; columns are counted from the last input. At least one input is kept.
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

    Else it yields its input, which is scaled by 1 / (1 - p) where `in_training`; without it, what
    inference yields is scaled by 1 - p.
    """

    p: float
    in_training: bool
