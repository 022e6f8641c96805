"""Saved-tensor hooks: what a user does with the tensors that calls save for backward."""

import contextlib

from jtorch import _tensor, modes
from jtorch.autograd.node import Hooks
from jtorch.autograd.tape import Call, Packed, above
from jtorch.engine.ref import Ref


def _stack():
    found = modes.local.__dict__.get("saved_hooks")
    if found is None:
        found = modes.local.saved_hooks = []
    return found


class saved_tensors_hooks:
    """Context manager: pack_hook(tensor) is called when a tensor is saved for backward, unpack_hook(what it returned)
    gives the tensor back when it is needed.

    As torch.autograd.graph.saved_tensors_hooks. Raises RuntimeError where such hooks are disabled.
    """

    def __init__(self, pack_hook, unpack_hook):
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self):
        message = modes.local.__dict__.get("saved_hooks_disabled")
        if message is not None:
            raise RuntimeError(message)
        _stack().append((self.pack_hook, self.unpack_hook))
        modes.enter_rare()

    def __exit__(self, *exc):
        modes.leave_rare()
        _stack().pop()


class save_on_cpu(saved_tensors_hooks):
    """Context manager: saved tensors are kept in the CPU's memory and copied back for backward."""

    def __init__(self, pin_memory=False, device_type="cuda"):
        super().__init__(lambda tensor: (tensor.device, tensor.cpu()), lambda packed: packed[1].to(packed[0]))


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message):
    """Context manager and decorator: inside, using saved-tensor hooks raises RuntimeError with this message."""
    state = modes.local.__dict__
    before = state.get("saved_hooks_disabled")
    state["saved_hooks_disabled"] = error_message
    try:
        yield
    finally:
        state["saved_hooks_disabled"] = before


@contextlib.contextmanager
def allow_mutation_on_saved_tensors():
    """Context manager: tensors saved for backward may be written to; backward sees the values they had when saved."""
    with saved_tensors_hooks(lambda tensor: _tensor.wrap(_tensor.read(tensor)), lambda saved: saved):
        yield


def pack(node, hooks, results):
    """Have hooks pack the operands that a new node saved, or the results: torch saves these after the call."""
    if not isinstance(node, Call):
        return
    operands = {at: tensor for _, _, at, tensor in node.versions}
    places = [*node.tape.saved, *(~n for n in range(len(node.outs)))]
    names = node.tape.operand_names()
    mine = [i for i in range(len(node.saved)) if (places[i] < 0) is results]
    for i in sorted(mine, key=lambda i: _torch_name(names, places[i])):
        saved, at = node.saved[i], places[i]
        if type(saved) is Ref:
            tensor = operands.get(at)
            node.saved[i] = packed(_tensor.wrap(saved) if tensor is None else tensor, *hooks)
    if results:
        node.versions = ()
    if node.hooks is None:
        node.hooks = Hooks()


def _torch_name(names, at):
    """What torch calls an operand; it saves in the order of these names."""
    name = names[at] if 0 <= at < len(names) else ""
    return "self" if name == "input" else name


def _pack_one(node, index, pack_hook, unpack_hook):
    """Have a user's hooks pack one tensor that a node saved."""
    if type(node.saved[index]) is Packed:
        raise RuntimeError(
            "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one "
            "pair of hooks is allowed at a time."
        )
    at = [*node.tape.saved, *(~n for n in range(len(node.outs)))][index]
    tensor = node.saved_tensors()[index] if at >= 0 else _tensor.wrap(node.saved[index])
    node.saved[index] = packed(tensor, pack_hook, unpack_hook)
    node.versions = [v for v in node.versions if v[2] != at]
    if node.hooks is None:
        node.hooks = Hooks()


above.pack_one = staticmethod(_pack_one)


def packed(tensor, pack_hook, unpack_hook):
    """What the pack hook makes of a tensor. Raises RuntimeError when it writes into it."""
    storage = tensor._storage
    before = storage.version
    made = pack_hook(tensor)
    if storage.version != before:
        raise RuntimeError(
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot "
            "be modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if "
            "you need to perform in-place operations on the input to a pack hook."
        )
    return Packed(made, unpack_hook)


def current():
    """The innermost (pack_hook, unpack_hook) of this thread, or None."""
    stack = _stack()
    return stack[-1] if stack else None
