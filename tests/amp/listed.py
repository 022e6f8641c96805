"""The dtypes that autocast gives the ops torch has a list for, on torch's own samples; nothing is computed."""

from itertools import islice

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import jtorch
from jtorch.engine import flush
from tests.conformance import counterpart, entries
from tests.conformance.given import Given, tensors

SAMPLES = 2

# torch's kernels for these are not what jtorch runs.
APART = {
    "linalg.pinv": "torch multiplies factors in the lower dtype; jtorch's is one op, in float32",
    "linalg.pinv/hermitian": "as linalg.pinv",
    "native_layer_norm": "differs outside autocast, too: the means of halves come in float32",
}


def kernels(key):
    """torch's names of the kernels that it has for a dispatch key, without their overloads."""
    names = torch._C._dispatch_get_all_op_names()
    own = (n for n in names if torch._C._dispatch_has_kernel_for_dispatch_key(n, key))
    return {n.removeprefix("aten::").split(".")[0] for n in own}


def listed(key):
    """The entries of torch's op database that have an autocast kernel for a dispatch key."""
    wanted = kernels(key)
    for entry in entries.chosen():
        names = {entry.info.name, entry.info.aten_name, entry.info.name.replace(".", "_")}
        names.add(entry.info.name.removeprefix("nn.functional."))
        if names & wanted and entry.name not in APART:
            yield entry


def dtypes(module, value):
    """The dtypes of the tensors in a result."""
    return [str(t.dtype).removeprefix("torch.") for t in tensors(module, value)]


def on_cpu(module, entry, sample, lower):
    """The dtypes of a call's results on the CPU, in a region that computes in `lower`; or the class of its error."""
    given = Given(module, sample)
    fn = entry.info.op if module is torch else counterpart.find(entry.info.op)
    with module.autocast("cpu", dtype=getattr(module, lower)):
        return _result(module, lambda: fn(given.input, *given.args, **given.kwargs))


def _result(module, call):
    try:
        return dtypes(module, call())
    except Exception as error:
        return type(error).__name__


def on_cuda_of_torch(entry, sample):
    """The dtypes of torch's results on a GPU that there need not be."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)

    def there(x):
        if isinstance(x, torch.Tensor):
            return torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="cuda")
        return type(x)(map(there, x)) if type(x) in (list, tuple) else x

    with mode:
        args, kwargs = [there(x) for x in (sample.input, *sample.args)], {k: there(x) for k, x in sample.kwargs.items()}
        torch.set_autocast_enabled("cuda", True)
        try:
            return _result(torch, lambda: entry.info.op(*args, **kwargs))
        finally:
            torch.set_autocast_enabled("cuda", False)


def on_simulated_cuda(entry, sample):
    """The dtypes of jtorch's results on the first cuda device."""

    def there(x):
        if isinstance(x, jtorch.Tensor):
            return x.cuda()
        return type(x)(map(there, x)) if type(x) in (list, tuple) else x

    given = Given(jtorch, sample)
    args, kwargs = [there(x) for x in (given.input, *given.args)], {k: there(x) for k, x in given.kwargs.items()}
    fn = counterpart.find(entry.info.op)
    with jtorch.autocast("cuda"):
        return _result(jtorch, lambda: fn(*args, **kwargs))


def compared(key, dtype, expected, actual):
    """(how many calls were compared, {entry: (torch's dtypes, jtorch's)} where they differ)."""
    count, wrong = 0, {}
    for entry in listed(key):
        if dtype not in entry.dtypes:
            continue
        for sample in islice(entry.info.sample_inputs("cpu", getattr(torch, dtype)), SAMPLES):
            want = expected(entry, sample)
            if isinstance(want, list):  # else torch refuses it, or can't tell without a GPU
                have = actual(entry, sample)
                count += 1
                if have != want:
                    wrong[entry.name] = want, have
        flush.discard()
    return count, wrong
