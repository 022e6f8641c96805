"""torch's dtypes beside torch's own: promotion of every pair, casts, conversions, limits, the default."""

import pytest
import torch

import jtorch
from jtorch import dtypes
from tests.oracle import COMPLEX, FLOATS, INTS, same, same_error, same_print

FLOAT8 = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")
ALL = ("bool", *INTS, *FLOATS, *COMPLEX, "uint16", "uint32", "uint64", *FLOAT8)
NUMBERS = (True, 3, 2.5, 1.5j)
INF, NAN = float("inf"), float("nan")


def attempt(fn, *args, **kwargs):
    """What a call gives, or the class and words of its error."""
    try:
        return fn(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0].split(', but expected one of')[0]}"


@pytest.mark.parametrize("name", ["promote_types", "can_cast"])
def test_every_pair(name):
    def table(module):
        kinds = [getattr(module, kind) for kind in ALL]
        return {f"{a} {b}": str(attempt(getattr(module, name), a, b)) for a in kinds for b in kinds}

    assert len(table(torch)) == 400
    same(table)


def test_result_types():
    def table(module):
        made = {f"{name}, {d} dims": module.ones((2,) * d).to(getattr(module, name)) for name in ALL for d in (0, 1)}
        made |= {str(number): number for number in NUMBERS}
        return {(a, b): str(attempt(module.result_type, made[a], made[b])) for a in made for b in made}

    theirs, ours = table(torch), table(jtorch)
    assert len(theirs) == 44 * 44
    # tests/api/test_variants.py says why there is no complex32
    assert [(case, dtype, ours[case]) for case, dtype in theirs.items()
            if dtype != ours[case] and dtype != "torch.complex32"] == []  # fmt: skip


CALLS = """
    result_type(1, 2) ; result_type(1, 2.0) ; result_type(1j, True) ; result_type(tensor=x, other=2)
    result_type(scalar=2, tensor=x) ; result_type(scalar1=2, scalar2=2.5) ; result_type(x, "a") ; result_type(None, 2)
    result_type(x) ; result_type(tensor1=x, tensor2=x) ; promote_types(torch.int8, 3) ; promote_types(torch.int8)
    promote_types(type1=torch.int8, type2=torch.uint8) ; promote_types("float32", torch.int8)
    promote_types(float, int) ; can_cast(torch.int8, 3) ; can_cast(3, torch.int8) ; can_cast(float, torch.int8)
    can_cast(from_=torch.int8, to=torch.float32) ; is_floating_point(x) ; is_complex(x) ; is_signed(x)
    is_floating_point(3) ; is_signed(torch.ones(1, dtype=torch.uint8)) ; dtype("float32") ; dtype()
    zeros(2, dtype=int) ; ones(2, dtype=float) ; zeros(2, dtype=bool) ; full((2,), 1, dtype=complex)
    zeros(2, dtype=str)
    tensor([1, 2], dtype=float) ; tensor([1, 0], dtype=bool) ; arange(3, dtype=float) ; empty(0, dtype=int)
    as_tensor([1, 2], dtype=float) ; zeros_like(x, dtype=int) ; rand(0, dtype=float) ; eye(2, dtype=int)
"""


@pytest.mark.parametrize("call", [call.strip() for call in CALLS.replace("\n", ";").split(";") if call.strip()])
def test_calls(call):
    same(lambda torch: attempt(eval, f"torch.{call}", {"torch": torch, "x": torch.ones(2)}))


@pytest.mark.parametrize("name", ALL)
def test_facts_of_a_dtype(name):
    def facts(module):
        kind = getattr(module, name)
        named = [str(kind), f"{kind}", kind == name, kind != module.int8, kind in {module.int32}]
        sizes = [kind.itemsize, kind.is_floating_point, kind.is_complex, kind.is_signed]
        near = [attempt(kind.to_complex), attempt(kind.to_real)] if name != "float16" else []
        return [*named, *sizes, *map(str, near)]

    same(facts)


# Conversions.

TO = """
    torch.float64 ; "cpu" ; torch.device("cpu"), torch.int32 ; "cpu", torch.int32 ; device="cpu", dtype=torch.int32
    dtype=torch.int32 ; other ; other=other ; other, True ; torch.int8, True ; torch.int8, non_blocking=True
    torch.int8, False, True ; torch.float32, copy=True ; "cpu", torch.float32, False, True ; None
    torch.int8, memory_format=torch.preserve_format ; device=None, dtype=None ; float ; int ; "nonsense"
    dtype="float32" ; [1] ; torch.int8, torch.int16 ; torch.int8, foo=1 ; dtype=bool ; other, copy=True
"""


@pytest.mark.parametrize("given", [given.strip() for given in TO.replace("\n", ";").split(";") if given.strip()])
def test_to(given):
    def converted(torch):
        x = torch.tensor([1.5, -2.0])
        scope = {"torch": torch, "x": x, "other": torch.ones(1, dtype=torch.int8)}
        made = attempt(eval, f"x.to({given})", scope)
        return made, made is x

    same(converted)


METHODS = """
    float() ; double() ; half() ; bfloat16() ; int() ; long() ; short() ; char() ; byte() ; bool() ; cfloat()
    cdouble()
    type() ; type(torch.int8) ; type("torch.LongTensor") ; type(torch.LongTensor) ; type(dtype=torch.int8)
    type("nonsense") ; type(float) ; type(3) ; type_as(other) ; type_as(other=other)
    type_as(x) ; type_as(3) ; type_as()
    type("torch.FloatTensor") ; type(torch.float32) ; cpu()
"""


@pytest.mark.parametrize("call", [call.strip() for call in METHODS.replace("\n", ";").split(";") if call.strip()])
def test_conversion_methods(call):
    def converted(torch):
        x = torch.tensor([1.5, -2.0])
        made = attempt(eval, f"x.{call}", {"torch": torch, "x": x, "other": torch.ones(1, dtype=torch.int8)})
        return made, made is x

    same(converted)


def test_values_of_conversions():
    whole = [0, 1, -1, 127, 128, -129, 255, 256, 300, 40000, 70000, -70000, 2**31, 2**53 + 1, -(2**63), 2**63 - 1]
    parts = [0.0, -0.0, 0.5, -0.5, 1.9, -1.9, 127.9, 300.0, -129.5, 65504.0, 65520.0, 1e-8, 1e10, -1e10, 1e20, 1e39]

    def table(module):
        sources = {
            "int64": module.tensor(whole), "int16": module.tensor(whole[:9], dtype=module.int16),
            "bool": module.tensor([True, False]),
            "float64": module.tensor([*parts, INF, -INF, NAN], dtype=module.float64),
            "float32": module.tensor([*parts[:15], INF, -INF, NAN]),
            "bfloat16": module.tensor([*parts[:12], NAN], dtype=module.bfloat16),
            "complex64": module.tensor([1.5 + 2j, 2j, 0j, -3.5, 300]),
        }  # fmt: skip
        made = {}
        for source, x in sources.items():
            for target in ALL:
                if target not in FLOAT8:
                    # What is beyond a wide unsigned dtype depends in torch on where in the tensor it stands.
                    wide = target in ("uint32", "uint64")
                    y = (x[:6] if wide else x).to(getattr(module, target))
                    made[source, target] = y.long() if wide else y
            made[source, "copy_"] = module.zeros(x.shape, dtype=module.int32).copy_(x)
        return made

    same(table, exact=True)


@pytest.mark.parametrize("name", FLOAT8)
def test_float8(name):
    limit = {"float8_e4m3fn": 448.0, "float8_e4m3fnuz": 240.0}.get(name, 57344.0)
    parts = [0.0, -0.0, 1.0, 1.1, -17.3, 3.0, 1.5, 0.001, 1e-4, 1e-9, limit, -limit, limit * 1.03, limit * 1.07, 1e9]

    def table(module):
        kind = getattr(module, name)
        made = [
            module.tensor([*parts, INF, -INF, NAN]).to(kind).float(),
            module.tensor([1, 17, 300, 0]).to(kind).float(),
        ]
        made += [module.tensor(parts[2:10], dtype=module.float64).to(kind).double()]
        for half in (module.float16, module.bfloat16):
            made.append(module.tensor(parts[:10], dtype=half).to(kind).to(half))
        x = module.tensor([1.1, 17.3, 0.0]).to(kind)
        made += [x.int(), x.bool(), x.view(module.uint8), x.tolist(), x[0].item(), x.type(), x.element_size()]
        made += [module.tensor([True, False]).to(kind).float(), module.tensor([1.1, 2j]).to(kind).float()]
        return [*made, (module.zeros(2, dtype=kind) == x[:2]), module.stack([x, x])[0].float(), x.clone().float()]

    same(table, exact=True)


# The default dtype.


@pytest.fixture(params=["float64", "float16", "bfloat16", "float32"])
def default(request):
    """The name of a dtype that is the default of both modules during a test."""
    for module in (torch, jtorch):
        module.set_default_dtype(getattr(module, request.param))
    yield request.param
    for module in (torch, jtorch):
        module.set_default_dtype(module.float32)


def test_what_the_default_dtype_changes(default):
    def table(module):
        whole, half = module.tensor([1, 2]), module.ones(2, dtype=module.float16)
        made = [
            module.tensor(1.5), module.tensor([1, 2.5]), module.ones(2), module.full((2,), 1.5),
            module.arange(0, 1, 0.5), module.linspace(0, 1, 3), module.eye(2), module.empty(0), module.Tensor([1]),
            module.tensor([]),
            whole / 2, whole / whole, whole * 1.5, whole + 0.5, whole**0.5, whole.sqrt(), whole.float(), half * 1.5,
            module.ones(2, dtype=module.float32) * 1.5, module.tensor(True) * 2.5, whole.sin(),
            module.zeros_like(whole), module.where(whole > 1, 1.5, 2.5), module.nn.Linear(1, 1).weight.detach() * 0,
            whole.true_divide(2),
        ]  # fmt: skip
        if default in ("float32", "float64"):
            made += [module.tensor(1j), whole * 1j, module.complex(whole.double(), whole.double())]
        facts = [module.get_default_dtype(), module.result_type(whole, 1.5), module.finfo().dtype]
        return [*made, *map(str, facts)]

    same(table)


def test_the_default_dtype_is_not_printed(default):
    def texts(module):
        made = [module.ones(2, dtype=getattr(module, name)) for name in FLOATS]
        return [str(x) for x in (*made, module.tensor(1.5), module.tensor([]), module.ones(2) / 3)]

    same_print(texts)


@pytest.mark.parametrize(
    "wrong", [lambda t: t.int32, lambda t: "float32", lambda t: 3, lambda t: None, lambda t: t.cfloat]
)
@pytest.mark.parametrize("name", ["set_default_dtype", "set_default_tensor_type"])
def test_what_cannot_be_the_default(name, wrong):
    if name == "set_default_dtype" or not isinstance(wrong(torch), (str, type(None))):
        same_error(lambda torch: getattr(torch, name)(wrong(torch)))


def test_default_tensor_types():
    def table(module):
        found = []
        for kind in (module.DoubleTensor, "torch.HalfTensor", module.FloatTensor):
            module.set_default_tensor_type(kind)
            found += [module.ones(1), str(module.get_default_dtype())]
        return [*found, attempt(module.set_default_tensor_type, "torch.LongTensor")]

    try:
        same(table)
    finally:
        for module in (torch, jtorch):
            module.set_default_dtype(module.float32)


def test_dtypes_that_are_names_alone():
    names = [d.name for d in dtypes.UNHELD]

    def run(torch):
        found = [getattr(torch, name) for name in names]
        return [(repr(d), d.itemsize, d.is_floating_point, d.is_complex) for d in found], torch.chalf is torch.complex32

    same(run)
    for name in names:
        with pytest.raises(NotImplementedError, match=f"jtorch has no values of dtype torch.{name}"):
            jtorch.zeros(2, dtype=getattr(jtorch, name))
