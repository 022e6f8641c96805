"""torch.backends.mkldnn: not used, XLA compiles for the CPU itself."""


def is_available():
    """False: oneDNN is not called through torch's switch."""
    return False
