"""The caches of cuFFT's plans, which XLA keeps by itself: what scripts set is remembered."""

from jtorch.devices import cuda_devices


class cuFFTPlanCacheAttrContextProp:
    """An attribute of a cache; a setter that is a string is what a RuntimeError says."""

    def __init__(self, getter, setter):
        self.getter, self.setter = getter, setter

    def __get__(self, obj, objtype):
        return self.getter(obj.device_index)

    def __set__(self, obj, val):
        if isinstance(self.setter, str):
            raise RuntimeError(self.setter)
        self.setter(obj.device_index, val)


_limits: dict = {}


class cuFFTPlanCache:
    """The plans of one device: size, max_size, clear()."""

    def __init__(self, device_index):
        self.device_index = device_index

    size = cuFFTPlanCacheAttrContextProp(
        lambda index: 0,
        ".size is a read-only property showing the number of plans currently in the cache. To change the cache "
        "capacity, set cufft_plan_cache.max_size.",
    )
    max_size = cuFFTPlanCacheAttrContextProp(lambda index: _limits.get(index, 4096), _limits.__setitem__)

    def clear(self):
        """Nothing to do: XLA keeps its plans."""


class cuFFTPlanCacheManager:
    """The caches of all devices by their index; its own attributes are those of the first."""

    def __getitem__(self, device):
        index = device if isinstance(device, int) else getattr(device, "index", None) or 0
        if not 0 <= index < len(cuda_devices()):
            raise RuntimeError(
                f"cufft_plan_cache: expected 0 <= device index < {len(cuda_devices())}, but got device with index "
                f"{index}"
            )
        return cuFFTPlanCache(index)

    def __getattr__(self, name):
        return getattr(_current(self), name)

    def __setattr__(self, name, value):
        setattr(_current(self), name, value)


def _current(manager):
    if not cuda_devices():
        raise AssertionError("Torch not compiled with CUDA enabled")
    return manager[0]
