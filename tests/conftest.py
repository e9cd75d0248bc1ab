"""Settings of all tests."""

import os

# Tensors in tests are small: threads that wait for each other cost up to fifty times what they
# bring on a machine that does other things too. Must stand before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a pass yields is verified in every test.
os.environ.setdefault("ARCHSPEC_VERIFY", "1")
