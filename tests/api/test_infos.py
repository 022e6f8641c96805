"""How results of several parts are handed over, and errors that depend on values, beside torch."""

import numpy as np
import pytest
import torch

import jtorch
from tests.oracle import same, same_print

NAMES = {"svd": 3, "qr": 2, "eigh": 2, "slogdet": 2, "lu": 3, "lu_factor": 2, "inv_ex": 2}


@pytest.mark.parametrize("name", NAMES)
def test_out(name):
    def written(torch):
        out = tuple(torch.empty(0, dtype=torch.int32 if name in ("lu_factor", "inv_ex") and i else torch.float32)
                    for i in range(NAMES[name]))  # fmt: skip
        found = getattr(torch.linalg, name)(torch.eye(2) * 2, out=out)
        return found, out, all(a is b for a, b in zip(found, out, strict=True))

    same(written)


def test_out_of_one():
    def written(torch):
        x, out = torch.eye(2) * 2, torch.empty(0)
        names = ("inv", "cholesky", "det", "svdvals", "pinv", "eigvalsh", "matrix_norm", "cond")
        return [getattr(torch.linalg, name)(x, out=out).clone() for name in names]

    same(written)


def test_printed():
    same_print(lambda torch: torch.linalg.svd(torch.eye(2) * 2))
    same_print(lambda torch: torch.linalg.inv_ex(torch.eye(2) * 2))


def test_class_of_the_error():
    assert issubclass(jtorch.linalg.LinAlgError, RuntimeError)
    same(lambda torch: [torch.linalg.LinAlgError.__name__, torch.linalg.LinAlgError.__module__])
    with pytest.raises(jtorch.linalg.LinAlgError):
        jtorch.linalg.inv(jtorch.zeros(2, 2))


def test_nothing_is_read_in_a_transform():
    x = jtorch.tensor(np.eye(2) * 2, requires_grad=True)
    (found,) = jtorch.autograd.grad(jtorch.linalg.inv(x).sum(), x)
    assert found.shape == (2, 2)
    assert jtorch.linalg.inv(jtorch.empty(2, 2, device="meta")).shape == (2, 2)


def test_every_named_tuple_is_there_before_the_first_call():
    def classes(found):
        return {name for name, kind in vars(found).items() if isinstance(kind, type) and name.islower()}

    theirs = {name for name in classes(torch.return_types) if name[0] != "_"}
    assert classes(jtorch.return_types) - {"_lu_with_info"} == theirs
    for name in theirs:
        assert getattr(jtorch.return_types, name).__match_args__ == getattr(torch.return_types, name).__match_args__
