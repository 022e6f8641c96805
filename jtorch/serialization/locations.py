"""Where the storages of a checkpoint are put: the places that files name, and map_location."""

from jtorch import devices
from jtorch.devices import Device

_CPU_ONLY = (
    "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are running on a "
    "CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your storages to the CPU."
)


def location_tag(storage):
    """The name of a storage's place in a file: `cpu`, `cuda:0`, `meta`."""
    for _, tag, _ in _packages:
        location = tag(storage)
        if location:
            return location
    raise RuntimeError(f"don't know how to determine data location of {type(storage).__name__}")


def default_restore_location(storage, location):
    """The storage at the place that a file names. Raises: RuntimeError for a place that is not here."""
    for _, _, restore in _packages:
        result = restore(storage, location)
        if result is not None:
            return result
    raise RuntimeError(
        f"don't know how to restore data location of torch.storage.UntypedStorage (tagged with {location})"
    )


def register_package(priority, tagger, deserializer):
    """Teach save and load further places.

    tagger: a storage -> its place's name, or None. deserializer: a storage and a name -> it at that place, or None.
    Those of a lower priority are asked first.
    """
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda package: package[0])


def _tag(storage):
    return str(storage.device)


def _restore(storage, location):
    kind = location.partition(":")[0]
    if kind == "cuda":
        return storage.at(_cuda(location))
    return storage.at(Device(kind)) if kind in ("cpu", "meta") else None


def _cuda(location):
    index = Device(location).index or 0
    there = len(devices.cuda_devices())
    if not there:
        raise RuntimeError(_CPU_ONLY)
    if index >= there:
        raise RuntimeError(
            f"Attempting to deserialize object on CUDA device {index} but torch.cuda.device_count() is {there}. "
            "Please use torch.load with map_location to map your storages to an existing device."
        )
    return Device("cuda", index)


_packages = [(10, _tag, _restore)]


def mapping(map_location):
    """What map_location asks for, as a function of a storage and the place that the file names."""
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda storage, location: default_restore_location(storage, map_location.get(location, location))
    if isinstance(map_location, (str, bytes)):
        place = map_location if isinstance(map_location, str) else map_location.decode("ascii")
        return lambda storage, location: default_restore_location(storage, place)
    if isinstance(map_location, Device):
        return lambda storage, location: default_restore_location(storage, str(map_location))

    def asked(storage, location):
        result = map_location(storage, location)
        return default_restore_location(storage, location) if result is None else result

    return asked
