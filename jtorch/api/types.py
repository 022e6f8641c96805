"""torch's old tensor type names ('torch.FloatTensor') and the legacy constructors behind them."""

from jtorch import devices, dtypes

BY_LABEL = {
    "Float": dtypes.float32, "Double": dtypes.float64, "Half": dtypes.float16, "BFloat16": dtypes.bfloat16,
    "Byte": dtypes.uint8, "Char": dtypes.int8, "Short": dtypes.int16, "Int": dtypes.int32, "Long": dtypes.int64,
    "Bool": dtypes.bool_, "ComplexFloat": dtypes.complex64, "ComplexDouble": dtypes.complex128,
}  # fmt: skip


def type_string(aval):
    """'torch.FloatTensor', 'torch.cuda.LongTensor': a dtype and device as torch's type names."""
    place = "cuda." if aval.device.type == "cuda" else ""
    return f"torch.{place}{aval.dtype.label}Tensor"


def parse_type(name):
    """(dtype, device) of a type name such as 'torch.cuda.FloatTensor'. Raises ValueError for others."""
    parts = name.split(".")
    label = parts[-1].removesuffix("Tensor")
    if parts[0] != "torch" or not parts[-1].endswith("Tensor") or (label and label not in BY_LABEL):
        raise ValueError(f"invalid type: '{name}'")
    kind = BY_LABEL[label] if label else dtypes.Default.float
    return kind, devices.get("cuda") if parts[1] == "cuda" else devices.CPU
