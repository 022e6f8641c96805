"""torch.save and torch.load, and the settings around them, as torch.serialization has them."""

from jtorch.serialization.locations import default_restore_location, location_tag, register_package
from jtorch.serialization.names import StorageType, get_layout
from jtorch.serialization.options import (
    LoadEndianness,
    get_crc32_options,
    get_default_load_endianness,
    get_default_mmap_options,
    set_crc32_options,
    set_default_load_endianness,
    set_default_mmap_options,
    skip_data,
)
from jtorch.serialization.reading import get_unsafe_globals_in_checkpoint, load
from jtorch.serialization.safety import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from jtorch.serialization.writing import DEFAULT_PROTOCOL, save

_get_layout = get_layout

__all__ = [
    "DEFAULT_PROTOCOL",
    "LoadEndianness",
    "StorageType",
    "add_safe_globals",
    "clear_safe_globals",
    "default_restore_location",
    "get_crc32_options",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "location_tag",
    "register_package",
    "safe_globals",
    "save",
    "set_crc32_options",
    "set_default_load_endianness",
    "set_default_mmap_options",
    "skip_data",
]
