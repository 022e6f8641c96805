"""Where weights come from: `jtorch.hub`."""

import importlib


def load_state_dict_from_url(url, *args, **kwargs):
    """The state dict in a file of the net, fetched once. Arguments: of `hub.load_state_dict_from_url`."""
    return importlib.import_module("jtorch.hub").load_state_dict_from_url(url, *args, **kwargs)
