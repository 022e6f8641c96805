"""The switches of matrix products on cuda."""

from jtorch.backends import precision
from jtorch.backends.switches import check_bool


class cuBLASModule:
    """torch.backends.cuda.matmul: how precise products on cuda are; sums of half precision are always float32 here."""

    def __init__(self):
        self.__dict__.update(_fp16=(True, True), _bf16=(True, True), _accumulation=False)

    def __getattr__(self, name):
        if name not in _NAMES:
            raise AttributeError("Unknown attribute " + name)
        return _NAMES[name][0](self)

    def __setattr__(self, name, value):
        if name not in _NAMES or _NAMES[name][1] is None:
            raise AttributeError("Unknown attribute " + name)
        _NAMES[name][1](self, value)


def _reduction(kind):
    name = f"allow_{kind}_reduced_precision_reduction"

    def put(self, value):
        self.__dict__[f"_{kind}"] = _pair(value, name)

    return {
        name: (lambda self: self.__dict__[f"_{kind}"][0], put),
        f"{name}_split_k": (lambda self: self.__dict__[f"_{kind}"][1], None),
    }


def _pair(value, name):
    """(whether sums may be less precise, whether they may be split) as they were assigned. Raises TypeError."""
    if isinstance(value, bool):
        return value, True
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{name} expects a bool or a tuple/list of bools, but got {type(value)!r}")
    if not value:
        raise TypeError(f"{name} expects at least one boolean argument")
    if len(value) > 2:
        raise TypeError(f"{name} expects at most two boolean arguments")
    for one, which in zip(value, ("allow_reduced_precision", "allow_splitk"), strict=False):
        if not isinstance(one, bool):
            raise TypeError(f"{name} expects a bool for {which}, but got {type(one)!r}")
    return value[0], (*value, True)[1]


def _put_accumulation(self, value):
    check_bool(value, "set_allow_fp16_accumulation_cublas")
    self.__dict__["_accumulation"] = value


_NAMES = {
    "allow_tf32": (lambda self: precision.get_matmul_tf32(), lambda self, value: precision.set_matmul_tf32(value)),
    "fp32_precision": (
        lambda self: precision.get("cuda", "matmul"),
        lambda self, value: precision.put("cuda", "matmul", value),
    ),
    "allow_fp16_accumulation": (lambda self: self._accumulation, _put_accumulation),
    **_reduction("fp16"),
    **_reduction("bf16"),
}
