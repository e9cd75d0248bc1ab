"""Modules with weights that differ from the initial ones."""

import copy

import torch


def unsettled(module):
    """A copy in float64 with statistics and weights that differ from the initial ones."""
    made = copy.deepcopy(module).double().eval()
    torch.manual_seed(5)
    for name, value in made.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2.0)
        elif value.is_floating_point():
            value.normal_(0.1, 0.4).add_(0.2 * value.sign())  # divisors are not 0
    return made
