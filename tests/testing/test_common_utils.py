"""torch.testing._internal's TestCase: what is equal for it, as torch.testing.assert_close has it, and its seed."""

import torch

import jtorch
from jtorch.testing._internal.common_utils import TestCase

PAIRS = """
t.ones(2), t.ones(2)
t.ones(2), t.ones(2) + 1e-8
t.ones(2), t.zeros(2)
t.ones(2), t.ones(2).double()
t.ones(2), t.ones(3)
t.tensor([float("nan")]), t.tensor([float("nan")])
1.0, 1.0 + 1e-9
1.0, 1.1
[1.0, 2], [1.0, 2]
[1.0, t.ones(1)], [1.0, t.ones(1)]
{"a": t.ones(1)}, {"a": t.zeros(1)}
(1.0, 2), (1.0, 3)
""".strip().split("\n")


def holds(check, *args, **options):
    try:
        check(*args, **options)
    except AssertionError:
        return False
    return True


def test_the_same_is_equal():
    case = TestCase()
    for written in PAIRS:
        close = holds(torch.testing.assert_close, *eval(written, {"t": torch}), equal_nan=True)
        pair = eval(written, {"t": jtorch})
        assert [holds(case.assertEqual, *pair), holds(case.assertNotEqual, *pair)] == [close, not close], written
    assert holds(case.assertEqual, "a", "a") and not holds(case.assertEqual, "a", "b")
    assert holds(case.assertEqual, jtorch.tensor(3), 3) and not holds(case.assertEqual, jtorch.tensor(3), 4)
    assert holds(case.assertEqual, jtorch.ones(1), jtorch.ones(1).double(), exact_dtype=False)


def test_a_test_is_run_from_a_seed():
    class Drawn(TestCase):
        def test(self):
            self.assertEqual(jtorch.rand(1), first)

    jtorch.manual_seed(1234)
    first = jtorch.rand(1)
    result = Drawn("test").run()
    assert result.testsRun == 1 and result.wasSuccessful()
