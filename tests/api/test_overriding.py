"""`__torch_function__`: subclasses, other classes and modes that take calls over, as they do with torch."""

import copy
import inspect
import pickle
import sys
import warnings

import pytest
import torch

import jtorch
from jtorch.api import overriding
from tests.oracle import same, same_error, script

# What is called, with a subclass x, a plain tensor t and an index i: handlers see the same calls.
CALLS = {
    "x + 1": lambda torch, x, t, i: x + 1,
    "1 + x": lambda torch, x, t, i: 1 + x,
    "t + x": lambda torch, x, t, i: t + x,
    "x + t": lambda torch, x, t, i: x + t,
    "t - x": lambda torch, x, t, i: t - x,
    "1 - x": lambda torch, x, t, i: 1 - x,
    "x * t": lambda torch, x, t, i: x * t,
    "2 * x": lambda torch, x, t, i: 2 * x,
    "x / t": lambda torch, x, t, i: x / t,
    "1 / x": lambda torch, x, t, i: 1 / x,
    "x ** 2": lambda torch, x, t, i: x**2,
    "2 ** x": lambda torch, x, t, i: 2**x,
    "x // 2": lambda torch, x, t, i: x // 2,
    "7 // x": lambda torch, x, t, i: 7 // x,
    "x % 2": lambda torch, x, t, i: x % 2,
    "x @ t": lambda torch, x, t, i: x @ t,
    "t @ x": lambda torch, x, t, i: t @ x,
    "-x": lambda torch, x, t, i: -x,
    "+x": lambda torch, x, t, i: +x,
    "abs(x)": lambda torch, x, t, i: abs(x),
    "x == t": lambda torch, x, t, i: x == t,
    "t == x": lambda torch, x, t, i: t == x,
    "x != 1": lambda torch, x, t, i: x != 1,
    "t > x": lambda torch, x, t, i: t > x,
    "1 >= x": lambda torch, x, t, i: 1 >= x,
    "x < t": lambda torch, x, t, i: x < t,
    "x.__iadd__": lambda torch, x, t, i: x.__iadd__(1),
    "x.__imul__": lambda torch, x, t, i: x.__imul__(t),
    "x.__itruediv__": lambda torch, x, t, i: x.__itruediv__(2),
    "x[0]": lambda torch, x, t, i: x[0],
    "x[1:]": lambda torch, x, t, i: x[1:],
    "x[i]": lambda torch, x, t, i: x[i],
    "x[0] = 1": lambda torch, x, t, i: x.__setitem__(0, 1),
    "t[0] = x[0]": lambda torch, x, t, i: t.__setitem__(0, x.sum()),
    "len(x)": lambda torch, x, t, i: len(x),
    "bool": lambda torch, x, t, i: bool(x[0]),
    "float": lambda torch, x, t, i: float(x[0]),
    "int": lambda torch, x, t, i: int(x[0]),
    "in": lambda torch, x, t, i: 1.0 in x,
    "reversed": lambda torch, x, t, i: reversed(x),
    "list": lambda torch, x, t, i: list(x),
    "unpack": lambda torch, x, t, i: [*x.unbind()],
    "hash": lambda torch, x, t, i: {x: 1}[x],
    "shape": lambda torch, x, t, i: x.shape,
    "dtype": lambda torch, x, t, i: x.dtype,
    "device": lambda torch, x, t, i: x.device,
    "ndim": lambda torch, x, t, i: x.ndim,
    "requires_grad": lambda torch, x, t, i: x.requires_grad,
    "is_leaf": lambda torch, x, t, i: x.is_leaf,
    "grad_fn": lambda torch, x, t, i: x.grad_fn,
    "grad": lambda torch, x, t, i: x.grad,
    "data": lambda torch, x, t, i: x.data,
    "T": lambda torch, x, t, i: x.view(2, 2).T,
    "size": lambda torch, x, t, i: x.size(),
    "size(0)": lambda torch, x, t, i: x.size(0),
    "dim": lambda torch, x, t, i: x.dim(),
    "numel": lambda torch, x, t, i: torch.numel(x),
    "stride": lambda torch, x, t, i: x.stride(),
    "is_floating_point": lambda torch, x, t, i: x.is_floating_point(),
    "type": lambda torch, x, t, i: x.type(),
    "item": lambda torch, x, t, i: x[0].item(),
    "tolist": lambda torch, x, t, i: x.tolist(),
    "numpy": lambda torch, x, t, i: x.numpy(),
    "clone": lambda torch, x, t, i: x.clone(),
    "detach": lambda torch, x, t, i: x.detach(),
    "to": lambda torch, x, t, i: x.to(torch.float64),
    "double": lambda torch, x, t, i: x.double(),
    "add_": lambda torch, x, t, i: x.add_(1, alpha=2),
    "t.copy_": lambda torch, x, t, i: t.copy_(x),
    "t.add_": lambda torch, x, t, i: t.add_(x),
    "x.fill_": lambda torch, x, t, i: x.fill_(1),
    "new_zeros": lambda torch, x, t, i: x.new_zeros(2),
    "sum": lambda torch, x, t, i: x.sum(0),
    "sum dim=": lambda torch, x, t, i: torch.sum(x, dim=0),
    "mean": lambda torch, x, t, i: torch.mean(x),
    "max": lambda torch, x, t, i: torch.max(x, 0),
    "x.max": lambda torch, x, t, i: x.max(),
    "topk": lambda torch, x, t, i: x.topk(2),
    "sort": lambda torch, x, t, i: torch.sort(x, descending=True),
    "view": lambda torch, x, t, i: x.view(2, 2),
    "reshape": lambda torch, x, t, i: x.reshape(-1, 2),
    "permute": lambda torch, x, t, i: x.permute(0),
    "unsqueeze": lambda torch, x, t, i: x.unsqueeze(0),
    "chunk": lambda torch, x, t, i: x.chunk(2),
    "gather": lambda torch, x, t, i: x.gather(0, i),
    "index_select": lambda torch, x, t, i: torch.index_select(t, 0, i),
    "masked_fill": lambda torch, x, t, i: x.masked_fill(t > 0, 0.0),
    "where": lambda torch, x, t, i: torch.where(t > 0, x, t),
    "cat": lambda torch, x, t, i: torch.cat([t, x]),
    "stack": lambda torch, x, t, i: torch.stack((x, x), dim=0),
    "zeros_like": lambda torch, x, t, i: torch.zeros_like(x),
    "rand_like": lambda torch, x, t, i: torch.rand_like(x).shape,
    "allclose": lambda torch, x, t, i: torch.allclose(x, x),
    "equal": lambda torch, x, t, i: x.equal(t),
    "result_type": lambda torch, x, t, i: torch.result_type(x, 1),
    "add": lambda torch, x, t, i: torch.add(x, t, alpha=2),
    "relu": lambda torch, x, t, i: torch.relu(x),
    "exp_": lambda torch, x, t, i: torch.exp_(x),
    "F.linear": lambda torch, x, t, i: torch.nn.functional.linear(x, torch.ones(2, 4)),
    "nn.Linear": lambda torch, x, t, i: torch.nn.Linear(4, 2)(x).shape,
    "as_tensor": lambda torch, x, t, i: torch.as_tensor(x),
    "is_tensor": lambda torch, x, t, i: torch.is_tensor(x),
    "as_subclass": lambda torch, x, t, i: x.as_subclass(torch.Tensor),
    "requires_grad_": lambda torch, x, t, i: x.requires_grad_(),
    "register_hook": lambda torch, x, t, i: x.detach().requires_grad_().register_hook(id) and None,
}


def logging_class(torch, log):
    """A subclass that notes each call that is handed to it, and lets it go on."""

    class Logging(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func is not torch.Tensor.__repr__:
                shown = [type(a).__name__ if isinstance(a, (torch.Tensor, list, tuple)) else str(a) for a in args]
                log.append((func.__name__, sorted(t.__name__ for t in types), shown, sorted(kwargs or {})))
            return super().__torch_function__(func, types, args, kwargs or {})

    return Logging


def kinds(value):
    if isinstance(value, (tuple, list)) and type(value).__name__ != "Size":
        return type(value).__name__, [kinds(item) for item in value]
    return type(value).__name__


def outcome(torch, call):
    log = []
    x = torch.arange(1.0, 5.0).as_subclass(logging_class(torch, log))
    t, i = torch.full((4,), 2.0), torch.tensor([0, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = call(torch, x, t, i)
    log = list(log)
    return log, kinds(result), result, x.as_subclass(torch.Tensor), t


@pytest.mark.parametrize("name", CALLS)
def test_a_subclass_takes_calls_over(name):
    same(lambda torch: outcome(torch, CALLS[name]), grad_fn=False)


PYTHON_CALLS = {
    # torch hands on what these functions of Python made of their arguments; here a handler gets them as they came.
    "F.relu": lambda torch, x, t, i: torch.nn.functional.relu(x),
    "F.softmax": lambda torch, x, t, i: torch.nn.functional.softmax(x, dim=0),
    "F.cross_entropy": lambda torch, x, t, i: torch.nn.functional.cross_entropy(x, i[1]),
    "F.mse_loss": lambda torch, x, t, i: torch.nn.functional.mse_loss(x, t),
    "F.dropout": lambda torch, x, t, i: torch.nn.functional.dropout(x, 0.0),
    "einsum": lambda torch, x, t, i: torch.einsum("i,i->", x, t),
    "split": lambda torch, x, t, i: x.split(2),
    "norm": lambda torch, x, t, i: x.norm(),
    "unique": lambda torch, x, t, i: torch.unique(x),
    "t ** x": lambda torch, x, t, i: t**x,
    "backward": lambda torch, x, t, i: (x.requires_grad_() * 2).sum().backward(),
}


@pytest.mark.parametrize("name", PYTHON_CALLS)
def test_functions_of_python_are_taken_over(name):
    def names(torch):
        log, kind, result, x, t = outcome(torch, PYTHON_CALLS[name])
        return log[0][0], kind, result, x, t

    same(names, grad_fn=False)


def plain(torch):
    class Plain(torch.Tensor):
        pass

    return Plain


def test_results_of_ops_on_a_subclass_are_instances_of_it():
    def run(torch):
        Plain = plain(torch)
        x = torch.arange(6.0).as_subclass(Plain)
        y = Plain([[1.0, 2.0], [3.0, 4.0]])
        made = [
            x + 1, x[0], x.view(2, 3).T, torch.stack([x, x]), x.max(0), x.split(4), x.clone().add_(1), x.int(),
            x.sum(), x > 2, x.new_ones(2), torch.zeros_like(x), y @ y, y.numpy(), x.tolist(), next(iter(x)), y.t(),
        ]  # fmt: skip
        return [(kinds(m), m) for m in made]

    same(run)


def test_autograd_through_a_subclass():
    def run(torch):
        x = torch.arange(3.0).as_subclass(plain(torch)).requires_grad_()
        y = (x * 2) + x
        seen = [repr(x), repr(y), type(y.grad_fn).__name__, y.is_leaf, y.requires_grad, y._is_view()]
        y.sum().backward()
        (g,) = torch.autograd.grad((x**3).sum(), x)
        return [*seen, type(x.grad).__name__, x.grad, type(g).__name__, g, x.is_leaf]

    same(run, grad_fn=False)


def test_classes_side_by_side():
    def run(torch):
        class Base(torch.Tensor):
            pass

        class Derived(Base):
            pass

        class Other(torch.Tensor):
            pass

        b, d = torch.ones(2).as_subclass(Base), torch.ones(2).as_subclass(Derived)
        return kinds([b + d, d + b, torch.cat([b, d]), b.add(torch.ones(2)), torch.ones(2) - d, b.detach()])

    same(run)

    def apart(torch):
        class One(torch.Tensor):
            pass

        class Two(torch.Tensor):
            pass

        return torch.ones(2).as_subclass(One) + torch.ones(2).as_subclass(Two)

    same_error(apart)


def refusing(torch):
    class Refusing(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    return torch.ones(2).as_subclass(Refusing)


@pytest.mark.parametrize(
    "call",
    [
        lambda torch, x: torch.add(x, 1), lambda torch, x: x.add(1), lambda torch, x: torch.nn.functional.relu(x),
        lambda torch, x: x + 1, lambda torch, x: 1 - x, lambda torch, x: x @ x, lambda torch, x: x.shape,
        lambda torch, x: torch.sum(x), lambda torch, x: torch.nn.functional.mse_loss(x, x), lambda torch, x: x.sum(),
        lambda torch, x: x[0], lambda torch, x: x < 1,
    ],
)  # fmt: skip
def test_nobody_takes_the_call(call):
    def run(torch):
        try:
            call(torch, refusing(torch))
        except TypeError as error:
            return str(error).replace("tests.api.test_overriding.", "")

    same(run)


def scalar_class(torch, handled):
    class ScalarTensor:
        def __init__(self, n, value):
            self.n, self.value = n, value

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func not in handled or not all(issubclass(t, (torch.Tensor, ScalarTensor)) for t in types):
                return NotImplemented
            return handled[func](*args, **(kwargs or {}))

    return ScalarTensor


def test_a_class_that_is_no_tensor():
    def run(torch):
        plain(torch)
        handled = {}
        scalar = scalar_class(torch, handled)(5, 2)
        handled[torch.mean] = lambda input: float(input.value) / input.n
        handled[torch.add] = lambda input, other: ("add", type(input).__name__, type(other).__name__)
        handled[torch.nn.functional.relu] = lambda input, inplace=False: ("relu", input.value)
        handled[torch.cat] = lambda tensors, dim=0: ("cat", len(tensors), dim)
        handled[torch.Tensor.mul] = lambda input, other: ("mul", other.value)
        t = torch.ones(2)
        return [
            torch.mean(scalar), torch.add(scalar, t), torch.add(t, scalar), torch.nn.functional.relu(scalar),
            torch.cat([t, scalar]), torch.cat((t, scalar), dim=1), t.mul(scalar), t * scalar,
            torch.overrides.is_tensor_like(scalar), torch.overrides.has_torch_function((t, scalar)),
            torch.overrides.has_torch_function((t, 1)),
        ]  # fmt: skip

    same(run)


def test_a_class_that_is_no_tensor_and_does_not_know_the_call():
    def run(torch):
        plain(torch)
        try:
            torch.mul(scalar_class(torch, {})(1, 1), 2)
        except TypeError as error:
            return str(error).replace("tests.api.test_overriding.", "")

    same(run)


def test_the_first_class_that_is_no_tensor_is_seen_by_ops_of_the_table():
    source = (
        "import torch\nclass A:\n    @classmethod\n"
        "    def __torch_function__(cls, func, types, args=(), kwargs=None):\n"
        "        return func.__name__, len(args)\n"
        "print(torch.add(A(), 1), torch.exp(A()), torch.ones(1).add(A()), torch.ones(1).sub_(A()))\n"
    )
    script(source)


def test_contexts_in_which_nothing_is_taken_over():
    def run(torch):
        log = []
        x = torch.ones(2).as_subclass(logging_class(torch, log))
        with torch._C.DisableTorchFunctionSubclass():
            inside = x + 1
        with torch._C.DisableTorchFunction():
            deeper = x * 2
        return type(inside).__name__, type(deeper).__name__, list(log), type(x + 1).__name__

    same(run)


def test_a_class_without_handler_is_left_alone():
    def run(torch):
        class Bare(torch.Tensor):
            __torch_function__ = torch._C._disabled_torch_function_impl

        x = torch.ones(2).as_subclass(Bare)
        return [type(v).__name__ for v in (x, x + 1, x.clone(), torch.ones(2) + x, x.add_(1))]

    same(run)


def test_attributes_of_a_subclass_live_on():
    def run(torch):
        class Tagged(torch.Tensor):
            @staticmethod
            def __new__(cls, data, tag, *args, **kwargs):
                return torch.as_tensor(data).as_subclass(cls)

            def __init__(self, data, tag):
                self.tag = tag
                self._private = [tag]

            def clone(self, *args, **kwargs):
                return Tagged(super().clone(*args, **kwargs), self.tag)

            def __deepcopy__(self, memo):
                return Tagged(self.as_subclass(torch.Tensor).clone(), self.tag + "!")

        x = Tagged([1.0, 2.0], "a")
        return [
            x, x.tag, x._private, x.clone().tag, type(x.clone()).__name__, copy.deepcopy(x).tag, copy.copy(x).tag,
            copy.copy(x)._private, hasattr(x + 1, "tag"), x.detach().sum(),
        ]  # fmt: skip

    same(run)


class Pickled(torch.Tensor):
    """Of torch."""


class PickledHere(jtorch.Tensor):
    """Of jtorch."""


def test_pickles_keep_class_and_attributes():
    def run(torch):
        kind = Pickled if torch.__name__ == "torch" else PickledHere
        x = torch.arange(3.0).as_subclass(kind)
        x.note = {"a": 1}
        x._private = 2
        back = pickle.loads(pickle.dumps(x))
        return type(back) is kind, back.note, back._private, back.as_subclass(torch.Tensor)

    same(run)


def test_a_parameter_of_a_subclass():
    def run(torch):
        x = torch.ones(2).as_subclass(plain(torch))
        p = torch.nn.Parameter(x)

        class Holder(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.w = p

        model = Holder()
        opt = torch.optim.SGD(model.parameters(), lr=0.5)
        (model.w * 3).sum().backward()
        opt.step()
        return [
            type(p).__name__, isinstance(p, torch.nn.Parameter), p.requires_grad, p.is_leaf, repr(p),
            [n for n, _ in model.named_parameters()], p.data, type(p + 1).__name__,
        ]  # fmt: skip

    same(run)


def test_the_signature_of_a_function_stays_what_it_was():
    plain(jtorch)
    assert "alpha" in inspect.signature(jtorch.add).parameters
    assert "_public" not in inspect.signature(jtorch.nn.functional.relu).parameters
    assert jtorch.add.__name__ == "add" and sys.modules["jtorch"].add is jtorch.add


def test_printing_inside_a_handler():
    def run(torch):
        class Loud(torch.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                if func is not torch.Tensor.__repr__:
                    seen.append(f"{func.__name__} {args} {kwargs}")
                return super().__torch_function__(func, types, args, kwargs)

        seen = []
        x = torch.ones(2).as_subclass(Loud)
        torch.add(x, 1).exp()
        return [*seen, repr(x * 2)]

    same(run)


def test_what_others_put_on_tensor_is_no_call_of_torchs():
    """As fastai does: a method put over torch's, torch's own under a second name, methods and a function of theirs."""

    def run(torch):
        def as_subclass(self, cls):
            seen.append("their as_subclass")
            return self._orig_as_subclass(cls)

        def rank(self):
            return len(self.shape)

        seen = []
        torch.Tensor._orig_as_subclass = torch.Tensor.as_subclass
        torch.Tensor.as_subclass, torch.Tensor.rank, torch.helper = as_subclass, rank, lambda x: x
        if torch is jtorch:
            overriding.activate()  # as the first such class of a program does
        try:

            class Image(torch.Tensor):
                @classmethod
                def __torch_function__(cls, func, types, args=(), kwargs=None):
                    seen.append(func.__name__)
                    return super().__torch_function__(func, types, args, kwargs or {})

            class Mask(Image):
                pass

            mask = torch.ones(2).as_subclass(Mask)
            kinds = [type(x).__name__ for x in (mask.as_subclass(Image), torch.helper(mask), mask + 1)]
            return kinds, mask.rank(), seen, rank.__code__.co_varnames
        finally:
            torch.Tensor.as_subclass = torch.Tensor._orig_as_subclass
            del torch.Tensor._orig_as_subclass, torch.Tensor.rank, torch.helper

    same(run)
