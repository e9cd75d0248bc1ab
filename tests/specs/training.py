"""Steps of training, and what they change."""

from collections.abc import Callable

import torch


def trained(
    module: torch.nn.Module, loss: Callable[[], torch.Tensor], steps: int = 3
) -> tuple[set[str], set[str]]:
    """The names of tensors in the state dict that change, and of those that do not change a bit.

    The optimiser gets all parameters, and decays them, too. `loss` is called before each step.
    """
    before = {name: value.clone() for name, value in module.state_dict().items()}
    optimiser = torch.optim.SGD(module.parameters(), lr=0.05, weight_decay=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    after = module.state_dict()
    kept = {name for name, value in before.items() if torch.equal(value, after[name])}
    return before.keys() - kept, kept
