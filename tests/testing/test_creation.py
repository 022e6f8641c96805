"""make_tensor beside torch's: the same numbers from the same seed, and the same refusals."""

from tests.oracle import check

CALLS = """
2, 3, dtype=torch.float32, device='cpu'
(2, 3), dtype=torch.float64, device='cpu', low=-1, high=2
4, dtype=torch.bfloat16, device='cpu', requires_grad=True
4, dtype=torch.complex64, device='cpu'
5, dtype=torch.int64, device='cpu'
5, dtype=torch.uint8, device='cpu'
5, dtype=torch.bool, device='cpu'
5, dtype=torch.int32, device='cpu', low=0, high=2, exclude_zero=True
5, dtype=torch.float8_e5m2, device='cpu'
2, 3, dtype=torch.float32, device='cpu', noncontiguous=True
1, 2, 3, 4, dtype=torch.float32, device='cpu', memory_format=torch.channels_last
3, dtype=torch.float32, device='cpu', low=2, high=1
3, dtype=torch.float32, device='cpu', low=float('nan')
3, dtype=torch.uint8, device='cpu', low=300, high=400
3, dtype=torch.int64, device='cpu', requires_grad=True
3, dtype=torch.float32, device='cpu', noncontiguous=True, memory_format=torch.contiguous_format
"""


def test_make_tensor():
    for line in filter(None, CALLS.splitlines()):

        def call(torch, line=line):
            torch.manual_seed(0)
            return eval(f"torch.testing.make_tensor({line})", {"torch": torch})

        call.__name__ = line
        check(call, grad=False, strides=True)
