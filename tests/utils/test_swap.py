"""utils.swap_tensors, the switches of torch.__future__, torch.cond and testing.assert_allclose beside torch's own."""

import pytest

import jtorch
import jtorch.utils._triton
from tests.oracle import same, same_error, same_warnings


def test_two_tensors_take_each_others_place():
    def run(torch):
        layer = torch.nn.Linear(2, 2)
        other = torch.nn.Parameter(torch.ones(2, 2))
        other.grad, other.note = torch.full((2, 2), 3.0), "mine"
        weight, plain, whole = layer.weight, torch.ones(2), torch.zeros(3, dtype=torch.int64)
        torch.utils.swap_tensors(weight, other)
        torch.utils.swap_tensors(plain, whole)
        return layer.weight is weight, weight, weight.grad, weight.note, hasattr(other, "note"), plain, whole

    same(run)
    with pytest.raises(TypeError, match="two Tensors"):
        jtorch.utils.swap_tensors(jtorch.ones(2), 3)


@pytest.mark.parametrize("overwrite", [False, True])
def test_how_modules_change_their_parameters(overwrite):
    def run(torch):
        layer = torch.nn.Linear(2, 2)
        layer(torch.ones(1, 2)).sum().backward()
        before = layer.weight
        torch.__future__.set_overwrite_module_params_on_conversion(overwrite)
        try:
            asked = torch.__future__.get_overwrite_module_params_on_conversion()
            layer.double()
        finally:
            torch.__future__.set_overwrite_module_params_on_conversion(False)
        kept = layer.weight is before
        return asked, kept, before.dtype, layer.weight.dtype, layer.weight.grad, type(layer.weight).__name__

    same(run)
    same(lambda torch: torch.__future__.get_swap_module_params_on_conversion())


def test_cond():
    def run(torch):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = torch.cond(x.sum() > 0, lambda x: x * x, lambda x: x - 1, (x,))
        y.sum().backward()
        return y.detach(), x.grad

    same(run)
    assert jtorch.cond(False, lambda: 1, lambda: 2) == 2
    same_error(lambda torch: torch.cond(torch.ones(2), lambda x: x, lambda x: x, (torch.ones(2),)))


def test_assert_allclose():
    def run(torch):
        torch.testing.assert_allclose(torch.ones(2), [1.0, 1.00001])
        torch.testing.assert_allclose(torch.tensor(float("nan")), float("nan"))
        torch.testing.assert_allclose(torch.ones(2), torch.tensor([1.0, 1.1]))

    same_error(run)
    same_warnings(lambda torch: torch.testing.assert_allclose(torch.ones(2), torch.ones(2)))


def test_names_of_what_is_elsewhere():
    assert jtorch.utils.model_zoo.above.load_url is jtorch.hub.load_state_dict_from_url
    assert jtorch.utils._triton.has_triton() is jtorch.utils._triton.has_triton_package() is False
    assert jtorch.backends.quantized.engine in jtorch.backends.quantized.supported_engines
