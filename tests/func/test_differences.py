"""Known differences of torch.func, each a line in gaps.toml."""

from tests.oracle import same, same_error


def test_a_mask_of_rows_in_a_write():
    def run(torch):
        def fn(x):
            y = x.clone()
            y[y > 2] = 0.0
            return y

        return torch.vmap(fn)(torch.arange(6.0).reshape(3, 2))

    same_error(run)


def test_detach_shows_the_memory_inside_a_transform():
    def run(torch):
        def fn(x):
            y = x * 1
            y.detach().mul_(2)
            return y

        return torch.vmap(fn)(torch.arange(6.0).reshape(3, 2))

    same(run)


def test_a_dim_that_a_pattern_says_has_one_element():
    same(lambda torch: torch.func.rearrange(torch.arange(6).view(2, 3), "1 a -> a"))
