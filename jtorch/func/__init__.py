"""torch.func: transforms of functions of Tensors, which compose in any order."""

from jtorch.func.functional_call import functional_call, stack_module_state
from jtorch.func.functionalize import functionalize
from jtorch.func.jacobians import hessian, jacfwd, jacrev
from jtorch.func.transforms import grad, grad_and_value, jvp, linearize, vjp
from jtorch.func.vmap import vmap

__all__ = [
    "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "stack_module_state", "vjp", "vmap",
]  # fmt: skip
