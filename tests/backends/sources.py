"""The generated source of a network, for tests that look at it."""

from archspec_torch.source import python_source


def source(net):
    """The source, which is valid Python without overlong lines."""
    text, _ = python_source(net.compiled)
    compile(text, "net.py", "exec")
    assert max(len(line) for line in text.splitlines()) <= 100
    return text
