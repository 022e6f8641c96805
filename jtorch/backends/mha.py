"""torch.backends.mha: whether attention may take torch's fast path; XLA has one path, and results are alike."""

_fastpath = [True]


def get_fastpath_enabled():
    """Whether the fast path may be taken."""
    return _fastpath[0]


def set_fastpath_enabled(value):
    """Let the fast path be taken or not."""
    _fastpath[0] = value
