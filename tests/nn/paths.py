"""How error texts with class paths in them are compared: jtorch.nn... reads as torch.nn..."""

from tests.oracle import same_error


def raises(fn):
    """same_error for fn(torch), with jtorch's class paths read as torch's."""

    def run(module):
        try:
            fn(module)
        except Exception as error:
            raise type(error)(*(str(a).replace("jtorch.", "torch.") for a in error.args)) from error

    run.__name__ = getattr(fn, "__name__", "fn")
    same_error(run)
