"""Their lowerings, registered by the entry-point group `archspec_torch.lowerings`."""

from archspec_torch.code import call, code
from archspec_torch.lowering.base import Lowered, lowers


def owning(site):
    """A module with the parameters of the op."""
    made = [
        code(f'"{one.name}": ', call("torch.zeros", *map(str, one.shape)))
        for one in site.parameters
    ]
    inner = [part for one in made for part in (", ", one)][1:]
    return call("nn.ParameterDict", code("{", *inner, "}"))


@lowers("act_norm")
def act_norm(site):
    def apply(inputs, scope):
        own, shape = scope.module(), f"(-1, {', '.join('1' * site.axes)})"
        bias, scale = (f'{own}["{name}"].reshape{shape}' for name in ("bias", "log_scale"))
        return code(f"({inputs[0]} + {bias}) * {scale}.exp()")

    return Lowered(owning(site), apply)


@lowers("gain")
def gain(site):
    def apply(inputs, scope):
        own = scope.module()
        return code(f'{inputs[0]} * {own}["gain"][0] / 4 + {own}["offset"][0]')

    return Lowered(owning(site), apply)


@lowers("projection", "rounded")
def projection(site):
    def apply(inputs, scope):
        own = scope.module()
        shift = f' + {own}["shift"]' if site.op.shift else ""
        return code(f'{inputs[0]} @ {own}["kernel"]{shift}')

    return Lowered(owning(site), apply)
