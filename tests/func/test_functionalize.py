"""func.functionalize: the function's values, its writes to arguments, its errors."""

from tests.oracle import same, same_error


def test_values_and_writes():
    def run(torch):
        x = torch.arange(3.0)

        def fn(x):
            y = x.view(-1)
            y.add_(1)
            return y * 2

        return torch.func.functionalize(fn)(x), torch.func.functionalize(fn, remove="mutations_and_views")(x), x

    same(run)


def test_in_other_transforms():
    same(lambda torch: torch.vmap(torch.func.functionalize(lambda x: x.clone().mul_(2)))(torch.ones(3, 2)))


def test_an_unknown_remove():
    same_error(lambda torch: torch.func.functionalize(lambda x: x, remove="x"))
