"""What libraries ask of torch.utils._python_dispatch."""

from importlib import import_module

from tests.oracle import same


def test_a_tensor_wraps_no_others():
    def run(torch):
        ask = import_module(f"{torch.__name__}.utils._python_dispatch").is_traceable_wrapper_subclass
        return ask(torch.zeros(1)), ask(torch.nn.Parameter(torch.zeros(1))), ask(3)

    same(run)
