"""TorchScript's marks under the names of torch._jit_internal: what they leave alone, beside torch's."""

import importlib

from tests.oracle import same


def test_marks_change_nothing():
    def marked(torch):
        marks = importlib.import_module(f"{torch.__name__}._jit_internal")

        @marks._overload
        def scaled(x: int) -> int: ...

        def scaled(x):  # noqa: F811
            return x * 2

        class Layer(torch.nn.Module):
            @marks._overload_method
            def forward(self, x: int) -> int: ...

            @marks._copy_to_script_wrapper
            def forward(self, x):  # noqa: F811
                return x + 1

        chosen = marks.boolean_dispatch(
            "flag", 1, False, lambda x, flag=True: x, lambda x, flag=False: -x, None, "chosen"
        )
        return (
            scaled(3), Layer()(3), chosen(1), chosen(1, True), chosen(1, flag=False), chosen.__name__,
            torch._C._get_tracing_state(), marks.BroadcastingList2[int], marks.is_scripting(),
            marks._isinstance([1], list[int]),
            importlib.import_module(f"{torch.__name__}.futures").Future[int].__args__,
        )  # fmt: skip

    same(marked)
