"""Settings of all tests."""

import os

# Tensors in tests are small: threads that wait for each other make them up to fifty times slower on
# a machine with other load. This has to come before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The result of every pass is verified in every test.
os.environ.setdefault("ARCHSPEC_VERIFY", "1")
