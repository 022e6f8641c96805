"""Module: registration, walking, modes, conversion, copies, printed form; against torch's."""

import copy
import pickle

import pytest

import jtorch
from jtorch.nn.modules.module import Member
from tests.nn.paths import raises
from tests.oracle import same, same_error, same_print


def net(torch, **extra):
    """A module with every kind of member, some of them None, shared or not saved."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(2, 3)
            self.scale = torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))
            self.register_parameter("nothing", None)
            self.register_buffer("mean", torch.tensor([0.5, 0.5, 0.5]))
            self.register_buffer("cache", torch.tensor([1, 2]), persistent=False)
            self.register_buffer("unset", None)
            self.last = torch.nn.Sequential(torch.nn.Tanh(), torch.nn.Linear(3, 1))
            self.again = self.first
            self.tied = self.scale
            self.register_module("empty", None)
            self.plain = [torch.nn.Linear(1, 1)]

        def forward(self, x):
            return self.last(self.first(x) * self.scale + self.mean)

    made = Net()
    for name, value in extra.items():
        setattr(made, name, value)
    return made


def test_members_are_listed_in_order_and_once():
    def run(torch):
        m = net(torch)
        return {
            "parameters": [name for name, _ in m.named_parameters()],
            "all": [name for name, _ in m.named_parameters(remove_duplicate=False)],
            "own": [name for name, _ in m.named_parameters(prefix="p", recurse=False)],
            "buffers": [name for name, _ in m.named_buffers()],
            "modules": [name for name, _ in m.named_modules()],
            "modules twice": [name for name, _ in m.named_modules(prefix="p", remove_duplicate=False)],
            "children": [name for name, _ in m.named_children()],
            "counts": [len(list(x)) for x in (m.parameters(), m.buffers(), m.modules(), m.children())],
            "dir": [name for name in ("first", "scale", "mean", "unset", "training") if name in dir(m)],
        }

    same(run)


def test_printed_form():
    same_print(lambda torch: repr(net(torch)))
    same_print(lambda torch: repr(torch.nn.Module()))


def test_forward_and_gradients_with_the_same_seed():
    def run(torch):
        torch.manual_seed(3)
        m = net(torch)
        x = torch.tensor([[1.0, -2.0], [0.5, 4.0]], requires_grad=True)
        loss = m(x).sum()
        loss.backward()
        return loss, x.grad, [p.grad for p in m.parameters()]

    same(run)


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch: setattr(net(torch), "scale", torch.ones(3)),
        lambda torch: setattr(net(torch), "scale", 3),
        lambda torch: setattr(net(torch), "scale", torch.nn.Linear(1, 1)),
        lambda torch: setattr(net(torch), "first", torch.ones(3)),
        lambda torch: setattr(net(torch), "mean", 3.5),
        lambda torch: net(torch).register_parameter("w", torch.ones(1)),
        lambda torch: net(torch).register_parameter("w", 3),
        lambda torch: net(torch).register_parameter("mean", torch.nn.Parameter(torch.ones(1))),
        lambda torch: net(torch).register_parameter("a.b", None),
        lambda torch: net(torch).register_parameter("", None),
        lambda torch: net(torch).register_parameter(3, None),
        lambda torch: net(torch).register_buffer("b", 3),
        lambda torch: net(torch).register_buffer("forward", torch.ones(1)),
        lambda torch: net(torch).register_buffer("a.b", None),
        lambda torch: net(torch).register_buffer("", None),
        lambda torch: net(torch).register_buffer(b"b", None),
        lambda torch: net(torch).add_module("m", 3),
        lambda torch: net(torch).add_module("m", torch.nn.Linear),
        lambda torch: net(torch).add_module("scale", torch.nn.ReLU()),
        lambda torch: net(torch).add_module("a.b", None),
        lambda torch: net(torch).add_module("", None),
        lambda torch: net(torch).add_module(None, None),
        lambda torch: net(torch).missing,
        lambda torch: delattr(net(torch), "missing"),
        lambda torch: torch.nn.Module()(1),
        lambda torch: torch.nn.Module(1),
        lambda torch: torch.nn.Module(a=1),
        lambda torch: net(torch).train("yes"),
        lambda torch: net(torch).get_submodule("first.weight"),
        lambda torch: net(torch).get_submodule("last.7"),
        lambda torch: net(torch).get_parameter("last.1.mean"),
        lambda torch: net(torch).get_parameter("mean"),
        lambda torch: net(torch).get_buffer("first.weight"),
        lambda torch: net(torch).get_buffer("nowhere"),
        lambda torch: net(torch).set_submodule("", torch.nn.ReLU()),
        lambda torch: net(torch).set_submodule("first.weight", torch.nn.ReLU()),
        lambda torch: net(torch).set_submodule("first.new", torch.nn.ReLU(), strict=True),
        lambda torch: net(torch).to(torch.int64),
    ],
)
def test_errors(fn):
    raises(fn)


@pytest.mark.parametrize("kind", ["parameter", "module", "buffer"])
def test_assignment_before_init(kind):
    def run(torch):
        values = {
            "parameter": torch.nn.Parameter(torch.ones(1)),
            "module": torch.nn.ReLU(),
            "buffer": torch.nn.Buffer(torch.ones(1)),
        }

        class Early(torch.nn.Module):
            def __init__(self):
                self.member = values[kind]

        Early()

    same_error(run)


def test_result_of_an_op_is_no_parameter():
    def run(torch):
        parameter = torch.nn.Parameter(torch.ones(2), requires_grad=False)
        parameter.mul_(torch.ones(2, requires_grad=True))
        torch.nn.Module().register_parameter("w", parameter)

    same_error(run)


def test_a_name_means_one_thing():
    def run(torch):
        m = torch.nn.Module()
        m.x = 3
        m.x = torch.nn.Parameter(torch.ones(1))
        m.x = torch.nn.Parameter(torch.zeros(1))
        kinds = [list(m._parameters), list(m._modules), list(m._buffers), "x" in vars(m)]
        m.x = None
        kinds += [list(m._parameters), m.x]
        del m.x
        m.x = torch.nn.ReLU()
        kinds += [list(m._parameters), list(m._modules), list(m._buffers)]
        m.y = torch.nn.Buffer(torch.ones(1), persistent=False)
        m.y = torch.zeros(2)
        kinds += [list(m._buffers), sorted(m._non_persistent_buffers_set), m.y]
        m.x = None
        del m.y
        m.z = torch.ones(1)
        return [*kinds, m.x, list(m._modules), sorted(m._non_persistent_buffers_set), list(m._buffers), "z" in vars(m)]

    same(run)


def test_replacing_a_submodule_keeps_its_place():
    def run(torch):
        m = net(torch)
        m.first = torch.nn.Linear(2, 3, bias=False)
        m.set_submodule("last.1", torch.nn.Identity())
        m.set_submodule("last.2", torch.nn.ReLU())
        return list(m._modules), list(m.state_dict()), m.get_submodule("last.2").__class__.__name__

    same(run)


def test_members_read_through_the_dicts():
    def run(torch):
        m = torch.nn.Linear(2, 2)
        weight = m.weight
        m._parameters["weight"] = None
        seen = [m.weight]
        del m._parameters["weight"]
        seen.append(hasattr(m, "weight"))
        m.weight = weight.data * 0
        seen += [m.weight, "weight" in vars(m), list(m._parameters)]
        del m.weight
        m.register_buffer("weight", torch.ones(2))
        seen += [m.weight, torch.nn.Linear(1, 1).weight.shape]
        return seen

    same(run)


def test_class_attributes_and_own_getattr_stay_in_charge():
    def run(torch):
        class Shadowed(torch.nn.Module):
            layer = "class attribute"

            def __init__(self):
                super().__init__()
                self.layer = torch.nn.ReLU()

        class Wrapper(torch.nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner

            def __getattr__(self, name):
                try:
                    return super().__getattr__(name)
                except AttributeError:
                    return getattr(super().__getattr__("inner"), name)

        class Computed(torch.nn.Linear):
            @property
            def weight(self):
                return "computed"

            @weight.setter
            def weight(self, value):
                self._parameters["weight"] = value

        wrapped = Wrapper(torch.nn.Linear(2, 3))
        return Shadowed().layer, wrapped.out_features, wrapped.inner.in_features, list(wrapped._modules)

    same(run)


def test_two_instances_of_a_class_with_different_members():
    def run(torch):
        class Loose(torch.nn.Module):
            pass

        a, b, c = Loose(), Loose(), Loose()
        a.x = torch.nn.Parameter(torch.ones(1))
        b.x = torch.nn.ReLU()
        return type(a.x).__name__, type(b.x).__name__, hasattr(c, "x"), "x" in dir(c), hasattr(Loose, "x")

    same(run)


def test_members_are_found_without_getattr():
    class Net(jtorch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = jtorch.nn.ReLU()

    Net()
    assert isinstance(vars(Net)["layer"], Member)


def test_modes():
    def run(torch):
        m = net(torch)
        m.eval()
        modes = [x.training for x in m.modules()]
        m.last.train()
        m.first.requires_grad_(False)
        return modes, [x.training for x in m.modules()], [p.requires_grad for p in m.parameters()], m.train() is m

    same(run)


def test_train_may_be_overridden_with_another_signature():
    def run(torch):
        class Net(torch.nn.Linear):
            def train(self, positive, negative):
                return positive - negative

        m = Net(1, 1)
        m.double().requires_grad_(False).zero_grad()
        m.load_state_dict(m.state_dict())
        return m.train(3, 1), m.training, copy.deepcopy(m).training

    same(run)


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none):
    def run(torch):
        m = net(torch)
        m(torch.ones(1, 2)).sum().backward()
        m.zero_grad(set_to_none=set_to_none)
        return [p.grad for p in m.parameters()]

    same(run)


def test_apply_goes_from_the_leaves_up():
    def run(torch):
        seen = []
        m = net(torch)
        returned = m.apply(lambda x: seen.append(type(x).__name__))
        return seen, returned is m

    same(run)


CONVERSIONS = [
    lambda torch, m: m.double(),
    lambda torch, m: m.half(),
    lambda torch, m: m.bfloat16(),
    lambda torch, m: m.double().float(),
    lambda torch, m: m.type(torch.float64),
    lambda torch, m: m.to(torch.float64),
    lambda torch, m: m.to(dtype=torch.float16, non_blocking=True),
    lambda torch, m: m.to("cpu"),
    lambda torch, m: m.to(torch.device("cpu"), torch.float64),
    lambda torch, m: m.to("cpu", torch.float64, True),
    lambda torch, m: m.to(torch.ones(1, dtype=torch.float64)),
    lambda torch, m: m.to(device="cpu"),
    lambda torch, m: m.to(),
    lambda torch, m: m.cpu(),
]


@pytest.mark.parametrize("convert", CONVERSIONS)
def test_conversion_is_in_place(convert):
    def run(torch):
        m = net(torch)
        m(torch.ones(1, 2)).sum().backward()
        before = list(m.parameters())
        returned = convert(torch, m)
        return (
            returned is m,
            [a is b for a, b in zip(before, m.parameters(), strict=True)],
            {name: t.dtype for name, t in m.state_dict().items()},
            m.cache.dtype,
            [(p.is_leaf, p.requires_grad, p.grad.dtype) for p in m.parameters()],
            m.tied is m.scale,
        )

    same(run)


def test_to_empty_keeps_shapes():
    def run(torch):
        m = net(torch).to_empty(device="cpu")
        return {name: (tuple(t.shape), t.dtype) for name, t in m.state_dict().items()}

    same(run)


def test_ties_end_at_the_meta_device():
    def run(torch):
        first, second = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
        second.weight = first.weight
        m = torch.nn.Sequential(first, second)
        m(torch.ones(1, 1)).sum().backward()
        found = []
        for move in (
            lambda: m.double(), lambda: m.to("cpu"), lambda: m.to("meta"), lambda: m.to("meta"), lambda: m.half(),
            lambda: m.to_empty(device="cpu"),
        ):  # fmt: skip
            before = first.weight
            move()
            found.append((first.weight is before, first.weight is second.weight, str(first.weight.device)))
            found.append((first.weight.dtype, first.weight.requires_grad, str(first.weight.grad.device)))
        return found

    same(run)
    same_error(lambda torch: torch.nn.Linear(1, 1, device="meta").to("cpu"))
    same_error(lambda torch: torch.nn.utils.skip_init(3))


def test_deepcopy_is_independent_and_keeps_ties():
    def run(torch):
        m = net(torch)
        m.first.register_forward_hook(lambda module, args, out: out + 1)
        m(torch.ones(1, 2)).sum().backward()
        copied = copy.deepcopy(m)
        with torch.no_grad():
            m.first.weight.zero_()
        return (
            copied.first.weight.abs().sum() > 0,
            copied.tied is copied.scale,
            copied.again is copied.first,
            [p.grad for p in copied.parameters()],
            len(copied.first._forward_hooks),
            list(copied.state_dict()),
        )

    same(run)


def test_pickle_restores_everything():
    def run(torch):
        torch.manual_seed(0)
        m = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.ReLU()).eval()
        m[0].note = "kept"
        back = pickle.loads(pickle.dumps(m))
        return back.state_dict(), back.training, back[0].note, list(back._modules), back(torch.ones(1, 2))

    same(run)


def test_a_module_pickled_by_an_older_version_is_completed():
    def run(torch):
        m = torch.nn.ReLU()
        state = m.__getstate__()
        for name in ("_backward_pre_hooks", "_state_dict_pre_hooks", "_forward_hooks_always_called"):
            state.pop(name, None)
        old = torch.nn.ReLU.__new__(torch.nn.ReLU)
        old.__setstate__(state)
        return old(torch.tensor([-1.0, 1.0])), old.state_dict()

    same(run)


def test_call_super_init():
    def run(torch):
        class Mixin:
            def __init__(self, value):
                self.value = value

        class Both(torch.nn.Module, Mixin):
            call_super_init = True

            def __init__(self):
                super().__init__(value=5)

        return Both().value

    same(run)
