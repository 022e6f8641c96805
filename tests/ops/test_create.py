"""Ops that make tensors from numbers."""

from tests.oracle import same

ENDS = ((-1, 1), (0, 1), (-3.14159, 3.14159), (5, -3), (0.001, 1e6))


def test_float32_sequences_have_torchs_very_numbers():
    lengths = (28, 1000)
    same(lambda torch: [torch.linspace(*ends, steps=n) for ends in ENDS for n in lengths], exact=True)
