"""The class of `torch.__version__`: a string that compares as a version."""

from packaging.version import InvalidVersion, Version

__all__ = ["TorchVersion"]


def _version(value):
    if isinstance(value, Version):
        return value
    return Version(value if isinstance(value, str) else ".".join(map(str, value)))


class TorchVersion(str):
    """A version as a string, which compares as PEP 440 says with versions, strings and tuples: `v >= (2, 8)`.

    With a string that is no version it compares as strings do.
    """

    def _compare(self, other, relation):
        try:
            return getattr(_version(str(self)), relation)(_version(other))
        except InvalidVersion:
            return getattr(super(), relation)(other)


def _comparison(relation):
    def compare(self, other):
        return self._compare(other, relation)

    return compare


for _relation in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(TorchVersion, _relation, _comparison(_relation))
TorchVersion.__hash__ = str.__hash__
