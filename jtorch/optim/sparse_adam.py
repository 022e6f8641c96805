"""SparseAdam: Adam for gradients with a sparse layout, which tensors here do not have."""

from jtorch._tensor import Tensor
from jtorch.autograd.grad_mode import enable_grad
from jtorch.optim.counted import check_betas
from jtorch.optim.optimizer import Optimizer


class SparseAdam(Optimizer):
    """Adam on the rows that a sparse gradient has. Made as torch's, so that programs that name it can be read.

    There are no sparse tensors in jtorch: `Embedding(sparse=True)` has dense gradients, which SparseAdam refuses as
    torch's does. Raises: ValueError for numbers out of their range and for complex parameters; RuntimeError at step
    for dense gradients: use Adam.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 < lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 < eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        complex_params = [
            [index, place]
            for index, group in enumerate(self.param_groups)
            for place, parameter in enumerate(group["params"])
            if parameter.is_complex()
        ]
        if complex_params:
            raise ValueError(
                f"Complex params at indices {complex_params}: SparseAdam does not support complex parameters"
            )

    def step(self, closure=None):
        """The closure's loss, where no parameter has a gradient. Raises: RuntimeError where one has."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if any(p.grad is not None for group in self.param_groups for p in group["params"]):
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        return loss
