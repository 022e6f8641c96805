"""Schedules given by functions of the epoch."""

from jtorch.optim.lr_scheduler.base import LRScheduler, function_state, values_of


class _ByFunctions(LRScheduler):
    """A schedule with one function per group, whose objects' attributes are saved and functions are not."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.optimizer = optimizer
        groups = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            self.lr_lambdas = [lr_lambda] * groups
        elif len(lr_lambda) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(lr_lambda)}")
        else:
            self.lr_lambdas = list(lr_lambda)
        self._check_functions()
        super().__init__(optimizer, last_epoch)

    def _check_functions(self):
        """Raise for what can't be called; LambdaLR leaves that to the call."""

    def state_dict(self):
        """Everything but the optimizer; of the functions only the attributes of callable objects."""
        state = {key: value for key, value in super().state_dict().items() if key != "lr_lambdas"}
        state["lr_lambdas"] = [function_state(fn) for fn in self.lr_lambdas]
        return state

    def load_state_dict(self, state_dict):
        """Take over a state_dict; functions stay this scheduler's."""
        self.__dict__.update({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        for fn, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=False):
            if saved is not None:
                fn.__dict__.update(saved)


class LambdaLR(_ByFunctions):
    """lr = initial lr · f(epoch): https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html."""

    def get_lr(self):
        """The learning rate of each group at `last_epoch`."""
        self._check_called_within_step()
        return [base * fn(self.last_epoch) for fn, base in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(_ByFunctions):
    """lr ← lr · f(epoch): https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiplicativeLR.html."""

    def _check_functions(self):
        for fn in self.lr_lambdas:
            if not callable(fn):
                raise TypeError(f"lr_lambda should be a function, but got {type(fn).__name__}")

    def get_lr(self):
        """The learning rate of each group at `last_epoch`."""
        self._check_called_within_step()
        if self._is_initial:
            return values_of(self.optimizer, "lr")
        groups = self.optimizer.param_groups
        return [group["lr"] * fn(self.last_epoch) for fn, group in zip(self.lr_lambdas, groups, strict=True)]
