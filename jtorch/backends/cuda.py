"""torch.backends.cuda: switches of matrix products on cuda."""

from jtorch.backends import precision
from jtorch.devices import cuda_devices


def is_built():
    """Whether JAX has a GPU backend here."""
    return bool(cuda_devices())


class _Matmul:
    @property
    def allow_tf32(self):
        """Whether float32 matrix products may use TF32."""
        return precision.get_float32_matmul_precision() != "highest"

    @allow_tf32.setter
    def allow_tf32(self, value):
        precision.set_float32_matmul_precision("high" if value else "highest")

    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


matmul = _Matmul()
