"""torch.func: transforms of functions of Tensors, which compose in any order."""

from jtorch.func.functional_call import functional_call, replace_all_batch_norm_modules_, stack_module_state
from jtorch.func.functionalize import functionalize
from jtorch.func.jacobians import hessian, jacfwd, jacrev
from jtorch.func.rearrange import rearrange
from jtorch.func.transforms import debug_unwrap, grad, grad_and_value, jvp, linearize, vjp
from jtorch.func.vmap import vmap

__all__ = [
    "debug_unwrap", "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp",
    "linearize", "rearrange", "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap",
]  # fmt: skip
