"""Questions about what kind a tensor is, and the kinds that are not here."""

import pytest

from tests.oracle import same, same_error

PREDICATES = (
    "is_cpu is_cuda is_ipu is_maia is_meta is_mkldnn is_mps is_mtia is_nested is_quantized is_sparse is_sparse_csr "
    "is_vulkan is_xla is_xpu is_leaf volatile name layout itemsize nbytes ndim"
).split()
CALLS = {
    "is_same_size": lambda torch, x, i: (torch.is_same_size(x, i), x.is_same_size(x + 1)),
    "is_signed": lambda torch, x, i: (torch.is_signed(x), i.is_signed(), torch.is_signed(i.to(torch.uint8))),
    "get_device": lambda torch, x, i: (torch.get_device(x), x.get_device()),
    "is_distributed": lambda torch, x, i: (torch.is_distributed(x), x.is_distributed()),
    "dim_order": lambda torch, x, i: (x.dim_order(), x.T.dim_order(), x[0, 0].dim_order()),
    "to_dense": lambda torch, x, i: (x.to_dense(), x.to_dense(torch.int32)),
    "dense_dim": lambda torch, x, i: (x.dense_dim(), x.sparse_dim()),
    "dequantize": lambda torch, x, i: torch.dequantize(x),
    "module_load": lambda torch, x, i: (x.module_load(x + 1), x.module_load(x * 2, assign=True)),
    "old division": lambda torch, x, i: (x.__div__(2), x.__rdiv__(2), x.__idiv__(4)),
    "old numbers": lambda torch, x, i: (x[0, 0].__long__(), x[0, 0].__nonzero__()),
    "truth of all": lambda torch, x, i: ((x > 0)._is_all_true(), (x > 5)._is_any_true(), x._is_zerotensor()),
    "sum_to_size": lambda torch, x, i: (x.sum_to_size(1, 3), x.sum_to_size((3,)), x.sum_to_size(1)),
    "fill_diagonal_": lambda torch, x, i: (x.clone().fill_diagonal_(7), x.T.clone().fill_diagonal_(8.0)),
    "fill_diagonal_ wrap": lambda torch, x, i: (
        torch.ones(7, 2).fill_diagonal_(0, wrap=True),
        torch.ones(5, 2).fill_diagonal_(0),
        torch.ones(2, 2, 2).fill_diagonal_(3),
        torch.ones(2, 5).fill_diagonal_(0, wrap=True),
    ),
    "fill": lambda torch, x, i: (torch.fill(x, 2), torch.fill_(x.clone(), i[0]), torch.zero_(x.clone())),
    "detach": lambda torch, x, i: (torch.detach(x), torch.detach_(x * 1)),
    "nonzero_static": lambda torch, x, i: (
        torch.nonzero_static(x > 1, size=2),
        x.nonzero_static(size=8, fill_value=-7),
        i.nonzero_static(size=0),
    ),
    "broadcast_shapes": lambda torch, x, i: (
        torch.broadcast_shapes((2, 1), (3,)), torch.broadcast_shapes(2, (3, 2)), torch.broadcast_shapes(),
        torch.broadcast_shapes((), (1,)), torch.broadcast_shapes((0, 1), (1, 4)),
    ),
    "new": lambda torch, x, i: (
        x.new(), x.new(2, 3).shape, x.new([1, 2]), i.new([1, 2]), x.new(x), x.new(torch.Size([2])).shape, x.new((1, 2)),
        i.new(2).dtype, x.new(device="cpu").shape,
    ),
    "_make_subclass": lambda torch, x, i: torch.Tensor._make_subclass(torch.Tensor, x, True).requires_grad,
    "symbols": lambda torch, x, i: (
        torch.sym_int(2.5), torch.sym_float(2), torch.sym_max(1, 2.5), torch.sym_min(1, 2), torch.sym_not(True),
        torch.sym_sqrt(4), torch.sym_ite(True, 1, 2), torch.sym_sum([1, 2]), isinstance(x.shape[0], torch.SymInt),
    ),
    "flags": lambda torch, x, i: (
        torch.is_warn_always_enabled(), torch.get_deterministic_debug_mode(),
        torch.set_deterministic_debug_mode("warn"), torch.get_deterministic_debug_mode(),
        torch.is_deterministic_algorithms_warn_only_enabled(), torch.are_deterministic_algorithms_enabled(),
        torch.use_deterministic_algorithms(True), torch.get_deterministic_debug_mode(),
        torch.set_deterministic_debug_mode(0), torch.are_deterministic_algorithms_enabled(),
        torch.is_vulkan_available(), torch.compiled_with_cxx11_abi(),
    ),
}  # fmt: skip
ERRORS = {
    "reinforce": lambda torch, x: x.reinforce(1),
    "ipu": lambda torch, x: x.ipu(),
    "xpu": lambda torch, x: x.xpu(),
    "mtia": lambda torch, x: x.mtia(),
    "record_stream": lambda torch, x: x.record_stream(None),
    "coalesce": lambda torch, x: x.coalesce(),
    "is_coalesced": lambda torch, x: x.is_coalesced(),
    "indices": lambda torch, x: x.indices(),
    "values": lambda torch, x: x.values(),
    "del": lambda torch, x: x.__delitem__(0),
    "sum_to_size": lambda torch, x: x.sum_to_size(2, 2),
    "fill_diagonal_ 1d": lambda torch, x: x[0].fill_diagonal_(0),
    "fill_diagonal_ 3d": lambda torch, x: torch.ones(2, 2, 3).fill_diagonal_(0),
    "broadcast_shapes": lambda torch, x: torch.broadcast_shapes((2,), (3,)),
    "FloatTensor of ints": lambda torch, x: torch.FloatTensor(torch.tensor([1, 2])),
    "new of ints": lambda torch, x: x.new(torch.tensor([1, 2])),
    "debug mode": lambda torch, x: torch.set_deterministic_debug_mode("loud"),
    "debug mode 3": lambda torch, x: torch.set_deterministic_debug_mode(3),
    "debug mode None": lambda torch, x: torch.set_deterministic_debug_mode(None),
}


@pytest.mark.parametrize("name", PREDICATES)
def test_attributes(name):
    same(lambda torch: [getattr(t, name) for t in (torch.ones(2, 3), torch.tensor(1), torch.ones(0) > 1)])


@pytest.mark.parametrize("name", CALLS)
def test_calls(name):
    same(lambda torch: CALLS[name](torch, torch.arange(1.0, 7.0).view(2, 3), torch.tensor([1, 2])))


@pytest.mark.parametrize("name", ERRORS)
def test_refusals(name):
    same_error(lambda torch: ERRORS[name](torch, torch.ones(2, 3)))
