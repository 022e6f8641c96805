"""torch.utils.hooks beside torch's own."""

from tests.oracle import same, same_warnings


def hooked(module, mark):
    x = module.ones(2, requires_grad=True)
    x.register_hook(mark(print))
    return x


def plain(fn):
    return fn


def test_hooks_that_a_pickle_leaves_out():
    same_warnings(lambda torch: torch.utils.hooks.warn_if_has_hooks(hooked(torch, plain)))

    def run(torch):
        torch.utils.hooks.warn_if_has_hooks(torch.ones(2))
        marked = torch.utils.hooks.unserializable_hook(lambda g: g)
        return marked.__torch_unserializable__, torch.utils.hooks.RemovableHandle.__name__

    same(run)
