"""Which dtype each op on torch's autocast lists is computed in, beside torch."""

import warnings

import pytest
import torch

import jtorch
from jtorch.autograd import autocast_lists
from jtorch.ops.op import TABLE
from tests.amp import listed


@pytest.mark.parametrize(("dtype", "lower"), [("float32", "bfloat16"), ("float16", "float16")])
def test_dtypes_of_listed_ops(dtype, lower):
    def runner(module):
        return lambda entry, sample: listed.on_cpu(module, entry, sample, lower)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        count, wrong = listed.compared("AutocastCPU", dtype, runner(torch), runner(jtorch))
    assert count > 80 and wrong == {}


def test_each_name_is_an_op_or_a_function():
    """A name that nothing bears would cast nothing."""
    for names in (*autocast_lists.LISTS.values(), autocast_lists.CONDITIONS):
        assert names.keys() - TABLE.keys() - autocast_lists.WHOLE == {"ctc_loss"} - autocast_lists.WHOLE
