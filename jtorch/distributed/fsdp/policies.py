"""What fully_shard is told about precision and offloading."""

from dataclasses import dataclass

from jtorch.dtypes import dtype


@dataclass(frozen=True)
class MixedPrecisionPolicy:
    """The dtypes of parameters in use, of gradients as they are added up, and of outputs; None keeps what there is."""

    param_dtype: dtype | None = None
    reduce_dtype: dtype | None = None
    output_dtype: dtype | None = None
    cast_forward_inputs: bool = True


@dataclass
class OffloadPolicy:
    """No offloading."""


@dataclass
class CPUOffloadPolicy(OffloadPolicy):
    """Parameters kept in the host's memory, where those on the CPU are; for other devices it is not done here."""

    pin_memory: bool = True
