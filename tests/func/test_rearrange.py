"""func.rearrange: patterns, and what is none, as torch has them."""

import warnings

import pytest

from tests.oracle import same, same_error, same_warnings

PATTERNS = (
    ("a b c -> a b c", {"a": 2}), ("(a b) c d -> a b c d", {"a": 2}), ("(a b) c d -> a b c d", {"a": 2, "b": 1}),
    ("... c -> c ...", {}), ("a ... -> ... a", {}), ("... -> (...)", {}), ("a ... -> (a ...)", {}),
    ("a b c -> a 1 b c", {}), ("a b c -> a () b c", {}), ("a b c -> (c b) a", {}), ("  a  b   c->c b a ", {}),
    ("a b c ... -> a b c ...", {}), ("a b c -> (b a c)", {}), ("A b c -> b A c", {}), ("é b c -> b é c", {}),
    ("a (b 1) c -> a b c", {}), ("a (b) c -> a b c", {}), ("a b c->(a b) c 1", {}),
    ("... (a b) -> ... a b", {"a": 2}), ("a (b1 b2) ... -> (a b1) ... b2", {"b1": 3}),
    ("(a1 a2) b ... -> a2 (... b) a1", {"a1": 1}),
)  # fmt: skip

NONE = (
    ("a b c -> a b c", {"q": 1}), ("a b c -> a b c", {"a": 5}), ("(a b) c d -> a b c d", {"a": 2, "b": 2}),
    ("(a b) c d -> a b c d", {"a": 1.0}), ("(a b) c d -> a b c d", {}), ("a (b e) c -> a b c e", {"b": 2}),
    ("(...) -> ...", {}), ("a (...) -> a", {}), ("a b c () -> a b c", {}), ("a b c -> a b c 2", {}),
    ("0 b c -> b c", {}), ("a b -> b a", {}), ("a b c d ... -> a b c d ...", {}), ("a b c -> a b c -> a", {}), ("", {}),
    ("a b c -> ... a b c", {}), ("a b c -> a b b c", {}), ("a-b c -> c", {}), ("_ b c -> b", {}), ("a b c -> a b", {}),
    ("a b b -> a b", {}), ("a b c -> (a b", {}), ("a b c -> a b) c", {}), ("a ((b) c) d -> a b c d", {}),
    ("a .. b -> a", {}), ("a 2x c -> a c", {}), ("... a ... -> a", {}), ("a b 4 -> a b", {}),
    ("a _b c -> a c _b", {}), ("a b_ c -> a c b_", {}),
)  # fmt: skip


def test_patterns():
    def fn(torch):
        x = torch.arange(24).view(2, 3, 4)
        found = [torch.func.rearrange(x, pattern, **lengths) for pattern, lengths in PATTERNS]
        rows = torch.func.vmap(lambda x: torch.func.rearrange(x, "a b -> (b a)"))(x)
        return found, rows, torch.func.rearrange([x, x + 1], "n a b c -> a (n b) c")

    same(fn, strides=True)


def test_gradients():
    def fn(torch):
        x = torch.arange(24.0).view(2, 3, 4).requires_grad_()
        (torch.func.rearrange(x, "a b c -> (c a) b") * torch.arange(3.0)).sum().backward()
        return x.grad

    same(fn)


@pytest.mark.parametrize("n", range(len(NONE)))
def test_errors(n):
    pattern, lengths = NONE[n]
    same_error(lambda torch: torch.func.rearrange(torch.zeros(2, 3, 4), pattern, **lengths))


def test_keywords_are_warned_of():
    def fn(torch):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            torch.func.rearrange(torch.zeros(2, 3, 4), "a if c -> a c if")

    same_warnings(fn)
