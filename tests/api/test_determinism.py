"""Asking for determinism: the same modes, and the same refusals, as torch."""

from tests.oracle import same, same_error


def modes(torch):
    """All that can be asked of the mode."""
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.get_deterministic_debug_mode(),
    )


def test_modes():
    def run(torch):
        seen = [modes(torch)]
        for ask in (
            lambda: torch.use_deterministic_algorithms(True),
            lambda: torch.use_deterministic_algorithms(True, warn_only=True),
            lambda: torch.set_deterministic_debug_mode("error"),
            lambda: torch.set_deterministic_debug_mode(1),
            lambda: torch.use_deterministic_algorithms(False),
        ):
            ask()
            seen.append(modes(torch))
        return seen

    same(run)


def test_refusals():
    same_error(lambda torch: torch.use_deterministic_algorithms(1))
    same_error(lambda torch: torch.use_deterministic_algorithms(True, warn_only=1))
    for mode in ("x", 5, 1.5):
        same_error(lambda torch, mode=mode: torch.set_deterministic_debug_mode(mode))
