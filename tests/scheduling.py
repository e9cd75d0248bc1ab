"""The worker in which a test runs, where several run tests in parallel."""

from xdist.scheduler import LoadScopeScheduling

from archspec.shipped import networks

FAMILIES = {name: path.stem for name, path in networks().items()}
FAMILIES |= {stem: stem for stem in FAMILIES.values()}


class BySpec(LoadScopeScheduling):
    """Tests of the same shipped spec run in one worker, and otherwise those of the same file.

    They have networks, modules and the results of subprocesses in common.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, rest = nodeid.partition("::")
        values = rest.partition("[")[2].removesuffix("]").split("-")
        return next((FAMILIES[value] for value in values if value in FAMILIES), file)
