"""Settings of all tests."""

import os

import pytest

# Tensors in tests are small: threads that wait for each other make them up to fifty times slower on
# a machine with other load. This has to come before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The result of every pass is verified in every test.
os.environ.setdefault("ARCHSPEC_VERIFY", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from tests.scheduling import BySpec  # noqa: PLC0415 - pytest runs without xdist, too

    return BySpec(config, log)
