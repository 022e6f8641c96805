"""torch.return_types: the named tuples that ops with several results return."""

import functools

import jax


class Structure(tuple):
    """A tuple with named fields that prints as torch's structseq does."""

    __slots__ = ()
    _names: tuple = ()
    n_fields = 0

    def __repr__(self):
        parts = []
        for name, value in zip(self._names, self, strict=True):
            head = f"{name}="
            parts.append(head + repr(value).replace("\n", "\n" + " " * 0))
        return f"torch.return_types.{type(self).__name__}(\n" + ",\n".join(parts) + ")"

    def __getattr__(self, name):
        raise AttributeError(f"'torch.return_types.{type(self).__name__}' object has no attribute '{name}'")

    def __reduce__(self):
        return (_restore, (type(self).__name__, self._names, tuple(self)))


def _restore(name, names, values):
    return named(name, names)(values)


def _counts(names):
    return {"n_fields": len(names), "n_sequence_fields": len(names), "n_unnamed_fields": 0}


MADE: dict = {}  # name -> class


@functools.cache
def named(name, names):
    """The tuple class torch.return_types.<name> with these fields."""
    fields = {n: property(lambda self, i=i: self[i]) for i, n in enumerate(names)}
    MADE[name] = made = type(
        name,
        (Structure,),
        {
            **fields,
            "__slots__": (),
            "_names": names,
            "__match_args__": names,
            **_counts(names),
            "__module__": "torch.return_types",
        },
    )
    jax.tree_util.register_pytree_node(made, lambda t: (tuple(t), None), lambda _, items: made(items))
    return made
