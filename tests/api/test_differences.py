"""Where jtorch is known to differ from torch in tensors as Python objects: each kind has its reason in gaps.toml."""

import copy

import pytest

from tests.oracle import same, same_warnings
from tests.snippets import compare


@pytest.mark.parametrize("name", "sum mean max min prod std any all".split())
def test_numpy_reductions(name):
    compare(f"getattr(np, '{name}')(b)")


LINES = {
    "lazy": """
        z.conj().is_conj()
        z.conj().imag.is_neg()
        """,
    "copied_layout": """
        torch.rot90(b).stride()
        torch.angle(b.t()).stride()
        torch.rsub(b.t(), torch.ones(4, 3)).stride()
        [(i.stride(), i._is_view(), i.storage_offset()) for i in torch.nonzero(b, as_tuple=True)]
        """,
    "unsigned": """
        int(torch.tensor(2**63, dtype=torch.uint64))
        torch.tensor([True]) + 2**63
        """,
    "small_complex": """
        torch.zeros(2, dtype=torch.complex32).dtype
        """,
    "overlapping_windows": """
        q = b.view(-1) * 1; q.unfold(0, 2, 1).mul_(2); q
        """,
    "overlapping_out": """
        q = b.view(-1) * 1; torch.add(q[:3], 1, out=q[1:4]); q
        """,
    "reshaped_base": """
        q = x * 1; v = q[0]; q.unsqueeze_(0); v.mul_(2); q
        q = x * 1; v = q[0]; q.t_(); v.mul_(2); q
        """,
    "power": """
        pow(b, 2, 3)
        """,
}  # fmt: skip
CASES = [(kind, line.strip()) for kind, lines in LINES.items() for line in lines.split("\n") if line.strip()]


@pytest.mark.parametrize("kind, line", CASES)
def test_lines(kind, line):
    compare(line)


def test_deepcopy_of_a_subclass():
    def fn(torch):
        own = type("Own", (torch.Tensor,), {})
        return type(copy.deepcopy(torch.ones(2).as_subclass(own))).__name__

    same(fn)


def test_scatter_with_reduce_warns():
    same_warnings(lambda torch: torch.ones(2).scatter_(0, torch.tensor([0]), torch.ones(1), reduce="add"))


@pytest.mark.parametrize("path", ["nn.Linear", "optim.SGD"])
def test_names_of_classes(path):
    same(lambda torch: str(eval(f"torch.{path}", {"torch": torch})))


def test_copy_of_an_inference_tensor():
    def fn(torch):
        with torch.inference_mode():
            made = torch.ones(2)
        return copy.copy(made).is_inference()

    same(fn)
