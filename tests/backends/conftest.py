import pytest

import archspec


@pytest.fixture
def network(tmp_path):
    """Compile a network from text."""

    def load(text, name=None, **parameters):
        path = tmp_path / "net.arch"
        path.write_text(text, encoding="utf-8")
        return archspec.load(path, name, **parameters)

    return load
