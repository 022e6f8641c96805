"""The `*_copy` functions beside torch: values, strides, names and gradients."""

from tests.oracle import same, same_error
from tests.snippets import compare

CALLS = """
    alias_copy(y); as_strided_copy(y,(2,2),(1,2)); diagonal_copy(y); diagonal_copy(y,1); expand_copy(y,(2,3,4))
    narrow_copy(y,0,1,1); permute_copy(y,(1,0)); select_copy(y,0,1); select_copy(y,0,9); slice_copy(y,0,0,2,1)
    slice_copy(y); slice_copy(y,1,-3,None,2); split_copy(y,2); split_with_sizes_copy(y,[1,2]); squeeze_copy(y)
    squeeze_copy(y,0); squeeze_copy(y,(0,1)); t_copy(y); transpose_copy(y,0,1); unbind_copy(y); unbind_copy(y,1)
    unfold_copy(y,0,2,1); unsqueeze_copy(y,0); view_copy(y,(12,)); view_copy(y,(5,)); split_copy(y,2,5)
""".replace("\n", ";").split(";")


def test_copies():
    compare("\n".join(f"torch.{call.strip()}" for call in CALLS if call.strip()))
    compare("""
        torch.detach_copy(b)
        torch.view_as_real_copy(z)
        torch.view_copy(b, torch.int32)
        y.narrow_copy(1, 0, 2)
        b.narrow_copy(0, 1, 5)
    """)


def test_gradients():
    compare("\n".join(
        f"r = torch.{call.strip()}; r = r[-1] if isinstance(r, tuple) else r; (r * r).sum().backward(); x.grad"
        for call in CALLS
        if call.strip()
    ))  # fmt: skip


def test_out():
    def fn(torch):
        y = torch.arange(12.0).view(3, 4)
        rooms = [[torch.empty(1, 4), torch.empty(2, 4)], [torch.empty(4) for _ in range(3)], torch.empty(3, 2)]
        return [
            torch.split_with_sizes_copy(y, [1, 2], out=rooms[0]), torch.unbind_copy(y, out=rooms[1]),
            torch.narrow_copy(y, 1, 1, 2, out=rooms[2]), rooms, torch.conj_physical(y, out=torch.empty(3, 4)),
        ]  # fmt: skip

    same(fn)
    same_error(lambda torch: torch.narrow_copy(torch.ones(3), 1, 0, 1))
    same_error(lambda torch: torch.narrow_copy(torch.tensor(1.0), 0, 0, 1))
