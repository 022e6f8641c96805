"""torch.utils.model_zoo: the old name of torch.hub's function that loads weights out of the net."""

__all__ = ["load_url"]


class above:
    """What is called above; set by hub.py."""

    load_url = None


def load_url(url, model_dir=None, map_location=None, progress=True, check_hash=False, file_name=None, **options):
    """The state dict of a file of the net: torch.hub.load_state_dict_from_url."""
    return above.load_url(url, model_dir, map_location, progress, check_hash, file_name, **options)
