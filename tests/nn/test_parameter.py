"""Parameter and Buffer against torch's."""

import copy
import pickle

import pytest

import jtorch
from tests.oracle import same, same_error, same_print


def test_parameter_shares_memory_with_its_data():
    def run(torch):
        data = torch.tensor([1.0, 2.0, 3.0])
        parameter = torch.nn.Parameter(data)
        data[0] = 7.0
        parameter.data.add_(1)
        return data, parameter, parameter.is_leaf, torch.nn.Parameter(parameter) is parameter

    same(run)


def test_parameter_of_a_result_is_a_leaf():
    def run(torch):
        x = torch.ones(2, requires_grad=True)
        parameter = torch.nn.Parameter(x * 2)
        (parameter * 3).sum().backward()
        return parameter, parameter.grad, x.grad is None

    same(run)


@pytest.mark.parametrize(
    "make",
    [
        lambda torch: torch.nn.Parameter(),
        lambda torch: torch.nn.Parameter(torch.ones(2)),
        lambda torch: torch.nn.Parameter(torch.arange(3), requires_grad=False),
        lambda torch: torch.nn.Parameter(torch.ones(2, dtype=torch.float64) * 0.5),
        lambda torch: torch.nn.Buffer(torch.ones(2)),
        lambda torch: torch.nn.UninitializedParameter(),
    ],
)
def test_printed_form(make):
    same_print(lambda torch: repr(make(torch)))


@pytest.mark.parametrize(
    "make",
    [
        lambda torch: torch.nn.Parameter(torch.arange(3)),
        lambda torch: torch.nn.Parameter([1.0, 2.0]),
        lambda torch: torch.nn.UninitializedParameter().shape,
    ],
)
def test_errors(make):
    same_error(make)


def test_deepcopy_leaves_gradient_and_attributes_behind():
    def run(torch):
        parameter = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        parameter.note = 3
        (parameter * 2).sum().backward()
        copied = copy.deepcopy(parameter)
        copied.data[0] = 5.0
        shared = copy.deepcopy([parameter, parameter])
        return (
            copied, copied.grad, hasattr(copied, "note"), parameter, type(copied).__name__, shared[0] is shared[1]
        )  # fmt: skip

    same(run)


def test_pickle_keeps_attributes():
    def run(torch):
        parameter = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        plain = pickle.loads(pickle.dumps(parameter))
        parameter.note = [1, 2]
        noted = pickle.loads(pickle.dumps(parameter))
        return plain, type(plain).__name__, noted, noted.note

    same(run)


def test_results_are_plain_tensors():
    def run(torch):
        p = torch.nn.Parameter(torch.ones(2))
        return [type(x).__name__ for x in (p + 1, p.data, p.detach(), p.clone(), p[0], -p)]

    same(run)


def test_buffer_is_a_marked_tensor():
    def run(torch):
        x = torch.ones(2)
        buffer = torch.nn.Buffer(x, persistent=False)
        x[0] = 3.0
        kinds = isinstance(buffer, torch.nn.Buffer), isinstance(x, torch.nn.Buffer), isinstance(x, torch.nn.Parameter)
        return buffer, buffer.persistent, kinds, type(buffer).__name__

    same(run)


def test_uninitialized_parameter_becomes_a_parameter():
    def run(torch):
        parameter = torch.nn.UninitializedParameter()
        lazy = torch.nn.parameter.is_lazy(parameter)
        parameter.materialize((2, 3))
        return lazy, torch.nn.parameter.is_lazy(parameter), type(parameter).__name__, tuple(parameter.shape)

    same(run)


def test_uninitialized_parameter_refuses_ops():
    with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
        jtorch.nn.UninitializedParameter() + 1


def test_what_is_known_of_an_uninitialized_parameter():
    def run(torch):
        parameter = torch.nn.UninitializedParameter(dtype=torch.float64)
        buffer = torch.nn.UninitializedBuffer(device="meta")
        facts = [
            (p.dtype, p.device, p.is_leaf, p.requires_grad, p.is_cuda, p.is_meta, p.is_floating_point(), p.is_complex())
            for p in (parameter, buffer)
        ]
        return facts, parameter.size(), parameter.data, parameter.get_device(), repr(parameter)

    same(run)


def test_lazy_layers_move_and_are_optimized_before_they_have_a_shape():
    def run(torch):
        layer, norm = torch.nn.LazyLinear(2), torch.nn.LazyBatchNorm1d()
        optimizers = [kind(layer.parameters(), lr=0.1) for kind in (torch.optim.SGD, torch.optim.Adam)]
        for m in (layer, norm):
            m.half().to(torch.float32).double()
        kinds = layer.weight.dtype, norm.running_mean.dtype, torch.nn.parameter.is_lazy(norm.running_mean)
        norm(layer(torch.arange(6.0, dtype=torch.float64).reshape(3, 2))).square().sum().backward()
        for optimizer in optimizers:
            optimizer.step()
        return kinds, list(layer.parameters()), dict(norm.state_dict()), type(layer).__name__

    same(run)
