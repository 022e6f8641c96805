"""What a Tensor holds, as its `__dict__` shows it."""

import copy
import functools
import pickle

from tests.oracle import same_error, same_print


def attributes(torch):
    said = []

    class Image(torch.Tensor):
        @functools.cached_property
        def once(self):
            return 7

    class Named:
        def named(self):
            return vars(self)

    class Mixed(Named, torch.Tensor):
        pass

    t, u = torch.ones(2), torch.zeros(3)
    said.append(str([t.__dict__, vars(t), t.__dict__ == {}, torch.Tensor.__mro__]))
    t.label, u.other = [1], 2
    u.__dict__ = copy.copy(t.__dict__)
    said.append(str([u.label, hasattr(u, "other"), vars(u), u]))
    t.__dict__["z"] = 5
    t.__dict__.update(y=6)
    said.append(
        str([t.z, t.y, sorted(t.__dict__), len(t.__dict__), t.__dict__.pop("z"), "z" in t.__dict__, {**t.__dict__}])
    )
    copied = copy.deepcopy(t.__dict__)
    said.append(str([type(copied), copied, copied["label"] is t.label, pickle.loads(pickle.dumps(t.__dict__))]))
    mixed = torch.ones(2).as_subclass(Mixed)
    mixed.__dict__ = {"meta": 3}
    said.append(str([mixed.named(), mixed, type(Mixed)]))
    image = t.as_subclass(Image)
    said.append(str([image.once, vars(image)]))
    marked = torch.nn.Parameter(t)
    marked.sharded = True
    said.append(str([vars(marked), vars(copy.deepcopy(marked)), vars(copy.copy(marked))]))
    del t.label
    t.__dict__.clear()
    said.append(str([t, vars(t)]))
    return said


def test_attributes_of_the_user():
    same_print(attributes)
    same_error(lambda torch: setattr(torch.ones(1), "__dict__", 3))
