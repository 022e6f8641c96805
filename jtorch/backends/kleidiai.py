"""torch.backends.kleidiai: not used."""


def is_available():
    """False: KleidiAI is not called."""
    return False
