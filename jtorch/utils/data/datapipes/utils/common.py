"""What datapipes share: checks of the functions they are given, lengths, files as streams that close themselves."""

import fnmatch
import functools
import inspect
import os
import warnings
from collections.abc import Iterable, Sized
from importlib.util import find_spec
from io import IOBase
from typing import Any

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_DEPTH = 10  # how deep streams are looked for in samples
DILL_AVAILABLE = find_spec("dill") is not None


def length(pipe, source):
    """The length of a pipe that has as many samples as its source. Raises: TypeError when that has none."""
    if isinstance(source, Sized):
        return len(source)
    raise unsized(pipe)


def unsized(pipe):
    """The TypeError of a pipe that knows no length."""
    return TypeError(f"{type(pipe).__name__} instance doesn't have valid length")


def columns(data, input_col):
    """What a function gets of a sample: all of it, or one or several columns."""
    if input_col is None:
        return (data,)
    return tuple(data[col] for col in input_col) if isinstance(input_col, list | tuple) else (data[input_col],)


def validate_input_col(fn, input_col):
    """Check that a function takes as many arguments as there are columns. Raises: ValueError where it does not."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except ValueError:
        return  # of C
    count = len(input_col) if isinstance(input_col, list | tuple) else 1
    positional = [p for p in parameters if p.kind in _POSITIONAL]
    needed = sum(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters)
    rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    plain = fn.func if isinstance(fn, functools.partial) else fn
    name = f"The function {getattr(plain, '__name__', repr(plain))} takes"
    if needed:
        raise ValueError(f"{name} {needed} non-default keyword-only parameters, which is not allowed.")
    if len(parameters) < count:
        if not rest:
            raise ValueError(f"{name} {len(parameters)} parameters, but {count} are required.")
    elif any(p.default is p.empty for p in positional[count:]) or (len(positional) < count and not rest):
        raise ValueError(f"{name} {len(positional)} positional parameters, but {count} are required.")


def _check_unpickable_fn(fn):
    """Warn of functions that pickle does not take. Raises: TypeError for what is no function at all."""
    if not callable(fn):
        raise TypeError(f"A callable function is expected, but {type(fn)} is provided.")
    if isinstance(fn, functools.partial):
        fn = fn.func
    kind = None
    if _is_local(fn):
        kind = "Local"
    elif getattr(fn, "__name__", None) == "<lambda>":
        kind = "Lambda"
    if kind and not DILL_AVAILABLE:
        warnings.warn(
            f"{kind} function is not supported by pickle, please use "
            "regular python function or functools.partial instead.",
            stacklevel=3,
        )


def _is_local(fn):
    code = getattr(fn, "__code__", None)
    if code is not None:
        return bool(code.co_flags & inspect.CO_NESTED)
    return "<locals>" in getattr(fn, "__qualname__", type(fn).__qualname__)


def match_masks(name, masks):
    """Whether a file's name fits one of the masks; no mask takes them all."""
    return not masks or any(fnmatch.fnmatch(name, mask) for mask in ([masks] if isinstance(masks, str) else masks))


def get_file_pathnames_from_root(root, masks, recursive=False, abspath=False, non_deterministic=False):
    """The paths of a folder's files, sorted, or the one of a file. Raises: OSError for a folder that can't be read."""

    def fail(error):
        warnings.warn(f"{error.filename} : {error.strerror}", stacklevel=2)
        raise error

    if os.path.isfile(root):
        if match_masks(os.path.basename(root), masks):
            yield os.path.abspath(root) if abspath else root
        return
    for path, folders, files in os.walk(root, onerror=fail):
        where = os.path.abspath(path) if abspath else path
        for file in files if non_deterministic else sorted(files):
            if match_masks(file, masks):
                yield os.path.join(where, file)
        if not recursive:
            return
        if not non_deterministic:
            folders.sort()  # os.walk goes on in this order


def get_file_binaries_from_pathnames(pathnames, mode, encoding=None):
    """Each path with its open file. Raises: TypeError for a path that is no string."""
    mode = f"r{mode}" if mode in ("b", "t") else mode
    for pathname in pathnames if isinstance(pathnames, Iterable) else [pathnames]:
        if not isinstance(pathname, str):
            raise TypeError(f"Expected string type for pathname, but got {type(pathname)}")
        yield pathname, StreamWrapper(open(pathname, mode, encoding=encoding))


def validate_pathname_binary_tuple(data):
    """Check that a sample is a path with a stream. Raises: TypeError where it is not."""
    if not isinstance(data, tuple):
        raise TypeError(f"pathname binary data should be tuple type, but it is type {type(data)}")
    if len(data) != 2:
        raise TypeError(f"pathname binary stream tuple length should be 2, but got {len(data)}")
    if not isinstance(data[0], str):
        raise TypeError(f"pathname within the tuple should have string type pathname, but it is type {type(data[0])}")
    if not isinstance(data[1], IOBase | StreamWrapper):
        # torch: without the space.
        raise TypeError(
            "binary stream within the tuple should have IOBase orits subclasses as type, "
            f"but it is type {type(data[1])}"
        )


class StreamWrapper:
    """An open file that is closed when nobody has it any more."""

    session_streams: dict[Any, int] = {}
    debug_unclosed_streams: bool = False

    def __init__(self, file_obj, parent_stream=None, name=None):
        self.file_obj = file_obj
        self.child_counter = 0
        self.parent_stream = parent_stream
        self.close_on_last_child = False
        self.name = name
        self.closed = False
        if parent_stream is not None:
            if not isinstance(parent_stream, StreamWrapper):
                raise RuntimeError(f"Parent stream should be StreamWrapper, {type(parent_stream)} was given")
            parent_stream.child_counter += 1
        if StreamWrapper.debug_unclosed_streams:
            StreamWrapper.session_streams[self] = 1

    @classmethod
    def close_streams(cls, v, depth=0):
        """Close the streams in a sample, also within dicts, lists and tuples."""
        if isinstance(v, StreamWrapper):
            v.close()
        elif depth < _DEPTH and isinstance(v, dict | list | tuple):
            for part in v.values() if isinstance(v, dict) else v:
                cls.close_streams(part, depth + 1)

    def __getattr__(self, name):
        return getattr(self.__dict__["file_obj"], name)

    def close(self, *args, **kwargs):
        """Close it, and the stream it came from when that was to close with its last child."""
        if self.closed:
            return
        if StreamWrapper.debug_unclosed_streams:
            del StreamWrapper.session_streams[self]
        parent = self.parent_stream
        if parent is not None:
            parent.child_counter -= 1
            if not parent.child_counter and parent.close_on_last_child:
                parent.close()
        close = getattr(self.file_obj, "close", None)
        if close is not None:
            close(*args, **kwargs)
        self.closed = True

    def autoclose(self):
        """Close it when its last child has closed, or now when it has none."""
        self.close_on_last_child = True
        if self.child_counter == 0:
            self.close()

    def __dir__(self):
        return list({*self.__dict__, *StreamWrapper.__dict__, *dir(self.file_obj)})

    def __del__(self):
        if not self.__dict__.get("closed", True):
            self.close()

    def __iter__(self):
        yield from self.file_obj

    def __next__(self):
        return next(self.file_obj)

    def __repr__(self):
        return f"StreamWrapper<{'' if self.name is None else f'{self.name},'}{self.file_obj!r}>"

    def __getstate__(self):
        return self.file_obj

    def __setstate__(self, obj):
        self.file_obj = obj


# The functional names that are deprecated, with what the warning says of each.
_iter_deprecated_functional_names: dict[str, dict] = {}
_map_deprecated_functional_names: dict[str, dict] = {}


def _deprecation_warning(
    old_class_name,
    *,
    deprecation_version,
    removal_version,
    old_functional_name="",
    old_argument_name="",
    new_class_name="",
    new_functional_name="",
    new_argument_name="",
    deprecate_functional_name_only=False,
):
    """Warn that a class, its functional name or an argument of it is deprecated, and of what takes its place."""
    if new_functional_name and not old_functional_name:
        raise ValueError("Old functional API needs to be specified for the deprecation warning.")
    if new_argument_name and not old_argument_name:
        raise ValueError("Old argument name needs to be specified for the deprecation warning.")
    if old_functional_name and old_argument_name:
        raise ValueError("Deprecating warning for functional API and argument should be separated.")
    what = f"`{old_class_name}()`"
    if deprecate_functional_name_only and old_functional_name:
        what = f"{what}'s functional API `.{old_functional_name}()` is"
    elif old_functional_name:
        what = f"{what} and its functional API `.{old_functional_name}()` are"
    elif old_argument_name:
        what = f"The argument `{old_argument_name}` of {what} is"
    else:
        what = f"{what} is"
    lines = [
        f"{what} deprecated since {deprecation_version} and will be removed in {removal_version}.",
        "See https://github.com/pytorch/data/issues/163 for details.",
    ]
    instead = [f"`{new_class_name}()`"] * bool(new_class_name) + [f"`.{new_functional_name}()`"] * bool(
        new_functional_name
    )
    if instead:
        lines.append(f"Please use {' or '.join(instead)} instead.")
    if new_argument_name:
        lines.append(f"Please use `{old_class_name}({new_argument_name}=)` instead.")
    warnings.warn("\n".join(lines), FutureWarning, stacklevel=3)
