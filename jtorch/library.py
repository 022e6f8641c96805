"""torch.library: operators that users define, with kernels, gradients, and shapes for the meta device."""

from jtorch._ops import OPERATORS, Operator
from jtorch._schema import infer_schema

__all__ = [
    "Library", "custom_op", "define", "fallthrough_kernel", "impl", "impl_abstract", "infer_schema", "register_fake",
    "register_vmap", "triton_op",
]  # fmt: skip

_DEVICES = {"cpu": "cpu", "CPU": "cpu", "cuda": "cuda", "CUDA": "cuda", "Meta": "meta", "meta": "meta"}
_ALL = ("", "default", "CompositeExplicitAutograd", "BackendSelect", "CompositeExplicitAutogradNonFunctional")


def _keys(types):
    """The keys of kernels for torch's names of devices and dispatch keys; None and "default" are all devices.

    Raises: ValueError for names that mean nothing here.
    """
    names = [types or ""] if types is None or isinstance(types, str) else list(types)
    for name in names:
        if name in _ALL:
            yield ""
        elif name in _DEVICES or name in ("Autograd", "CompositeImplicitAutograd"):
            yield _DEVICES.get(name, name)
        elif name.startswith("Autograd"):
            yield "Autograd"
        else:
            raise ValueError(f"{name!r} is no device or dispatch key that jtorch has: cpu, cuda, meta, Autograd, ...")


def _named(op):
    """The Operator that a name, an overload or a custom_op stands for. Raises: RuntimeError where there is none."""
    if isinstance(op, CustomOpDef):
        return op._operator
    name = op if isinstance(op, str) else getattr(op, "_qualified_op_name", None) or op.name()
    if name.removesuffix(".default") not in OPERATORS:
        raise RuntimeError(f"operator {name} does not exist")
    return OPERATORS[name.removesuffix(".default")]


def _put(operator, key, function):
    if key == "meta":
        operator.fake = function
    else:
        operator.kernels[key] = function


class Library:
    """A namespace of operators. kind: "DEF" defines it, "FRAGMENT" adds to it, "IMPL" only gives kernels.

    Raises: RuntimeError when a namespace is defined twice, ValueError for another kind.
    """

    _defined: set = set()

    def __init__(self, ns, kind, dispatch_key=""):
        if kind not in ("DEF", "FRAGMENT", "IMPL"):
            raise ValueError("Unsupported kind: " + kind)
        if ns == "prim":
            raise ValueError("prim is a reserved namespace, try creating a library with another name")
        if kind == "DEF":
            if ns in self._defined or ns == "aten":
                raise RuntimeError(
                    f"Only a single TORCH_LIBRARY can be used to register the namespace {ns}; please put all of your "
                    "definitions in a single TORCH_LIBRARY block."
                )
            self._defined.add(ns)
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key

    def define(self, schema, alias_analysis="", *, tags=()):
        """Define an operator by its schema, and return its name. Raises: RuntimeError for what is no schema."""
        name, bracket, rest = schema.partition("(")
        return Operator(self.ns, name.strip(), bracket + rest).qualname.partition("::")[2]

    def impl(self, op_name, fn, dispatch_key="", *, with_keyset=False, allow_override=False):
        """Give an operator the function that runs on a device. Raises: RuntimeError where there is no such operator."""
        name = op_name if isinstance(op_name, str) else op_name.name()
        if fn is fallthrough_kernel:
            return
        operator = _named(name if "::" in name else f"{self.ns}::{name}")
        for key in _keys(dispatch_key or self.dispatch_key):
            _put(operator, key, fn)

    def __repr__(self):
        return f"Library(kind={self.kind}, ns={self.ns}, dispatch_key={self.dispatch_key})>"


def fallthrough_kernel():
    """The kernel of an operator that has none for a key."""
    raise NotImplementedError("fallthrough_kernel() should never be called.")


def define(qualname, schema=None, *, lib=None, tags=()):
    """Define an operator: `define("mylib::sin", "(Tensor x) -> Tensor")`. Raises: ValueError without `::`."""
    if isinstance(qualname, Library):
        return lambda fn: qualname.impl(qualname.define(schema), fn)
    Operator(*_parted(qualname), schema)
    return None


def _parted(qualname):
    """(namespace, name) of `namespace::name`."""
    space, colons, name = qualname.partition("::")
    if not colons:
        raise ValueError(
            f"Expected `qualname` to be a string in the form `namespace::name`, but got {qualname}. The qualname "
            "passed to the torch.library API must consist of a namespace and a name, e.g. aten::sin"
        )
    return space, name


def impl(qualname, types="", func=None, *, lib=None):
    """Give an operator the function that runs on some devices; a decorator without `func`."""
    if isinstance(qualname, Library):
        return lambda fn: qualname.impl(types, fn, func or "") or fn

    def register(fn):
        for key in _keys(types):
            _put(_named(qualname), key, fn)
        return fn

    return register if func is None else register(func)


def register_kernel(op, device_types, func=None, /, *, lib=None):
    """As impl, for a custom_op too."""
    return impl(_named(op).qualname, device_types, func)


def register_fake(op, func=None, /, *, lib=None, _stacklevel=1, allow_override=False):
    """Give an operator the function that makes results of the right shapes on the meta device."""

    def register(fn):
        _named(op).fake = fn
        return fn

    return register if func is None else register(func)


impl_abstract = register_fake


def register_autograd(op, backward, /, *, setup_context=None, lib=None):
    """Give an operator its gradient: `backward(ctx, *grads)`, and `setup_context(ctx, inputs, output)` before it.

    Raises: RuntimeError for an operator that writes to its arguments.
    """
    operator = _named(op)
    if any(argument.mutated for argument in operator.schema.arguments):
        raise RuntimeError(
            f"Cannot register autograd formula for non-functional operator {operator.overload} with schema "
            f"{operator.schema}. Please create a functional operator and register an autograd formula for that."
        )
    operator.backward, operator.setup = backward, setup_context
    operator.changed()


def register_vmap(op, func=None, /, *, lib=None):
    """Give an operator its rule for vmap: `func(info, in_dims, *args)` returns (result, out_dims)."""

    def register(fn):
        operator = _named(op)
        operator.vmap = fn
        operator.changed()
        return fn

    return register if func is None else register(func)


class CustomOpDef:
    """An operator made of a function by custom_op. Called, it runs the kernel of its arguments' device."""

    def __init__(self, space, name, schema, fn):
        self._namespace, self._name, self._init_fn = space, name, fn
        self._operator = Operator(space, name, schema)
        self._operator.title, self._operator.checks = repr(self), True
        self.__name__ = fn.__name__

    @property
    def _opoverload(self):
        return self._operator.overload

    @property
    def _qualname(self):
        return self._operator.qualname

    @property
    def _schema(self):
        return self._operator.schema

    def register_kernel(self, device_types, fn=None, /):
        """Give it the function that runs on some devices; a decorator without `fn`."""
        return register_kernel(self, device_types, fn)

    def register_fake(self, fn, /):
        """Decorator: the function that makes results of the right shapes on the meta device."""
        return register_fake(self, fn)

    def register_autograd(self, backward, /, *, setup_context=None):
        """Give it its gradient. Raises as register_autograd."""
        register_autograd(self, backward, setup_context=setup_context)

    def register_vmap(self, func=None):
        """Decorator: its rule for vmap."""
        return register_vmap(self, func)

    def __call__(self, *args, **kwargs):
        return self._operator(*args, **kwargs)

    def __repr__(self):
        return f"<CustomOpDef({self._namespace}::{self._name})>"


def custom_op(name, fn=None, /, *, mutates_args, device_types=None, schema=None, tags=None):
    """Make an operator of a function whose annotations give its schema: `@custom_op("mylib::f", mutates_args=())`.

    Raises: ValueError for a name without `::` and for annotations that do not do, in torch's words.
    """

    def make(fn):
        written = schema or infer_schema(fn, mutates_args=mutates_args)
        made = CustomOpDef(*_parted(name), written, fn)
        for key in _keys(device_types):
            _put(made._operator, key, fn)
        return made

    return make if fn is None else make(fn)


def triton_op(name, fn=None, /, *, mutates_args, schema=None):
    """As custom_op. The function may launch Triton's kernels on a GPU in torch; here it has to do without."""
    return custom_op(name, fn, mutates_args=mutates_args, schema=schema)
