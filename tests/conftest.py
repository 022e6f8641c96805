"""What every test starts from: known seeds, an empty trace, counters at zero."""

import random

import numpy as np
import pytest
import torch

import jtorch
from jtorch.engine import direct, flush, kept, sketch, stats
from tests import gaps


def pytest_configure(config):
    """Read the known differences."""
    config.pluginmanager.register(gaps)
    kept.Folder.path = None  # tests change how ops are computed, which nothing that is kept may come of
    torch.set_num_threads(1)  # torch's threads spin while they wait, and the workers need the processors


@pytest.fixture(autouse=True)
def known_start():
    """Run what an earlier test left pending, set the counters to zero and seed every generator."""
    try:
        flush.flush("sync")
    except Exception:
        flush.discard()  # what an earlier test left broken fails that test, not this one
    # torch's own test databases forbid setting its flags.
    torch.backends.flags_frozen.__globals__["__allow_nonbracketed_mutation_flag"] = True
    stats.reset()
    sketch.recent.clear()
    direct.end()
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    jtorch.manual_seed(0)
