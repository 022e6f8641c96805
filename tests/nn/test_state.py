"""state_dict and load_state_dict against torch's: keys, liveness, error texts, hooks."""

import copy
import pickle

import pytest

from tests.oracle import same, same_error, same_print, same_warnings


def model(torch):
    """A small model with parameters, buffers and a nested chain."""
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Sequential(torch.nn.BatchNorm1d(3)), torch.nn.ReLU())


def test_keys_values_and_metadata():
    def run(torch):
        state = model(torch).state_dict()
        return state, state._metadata, type(state).__name__, [t.requires_grad for t in state.values()]

    same(run)


def test_pickled_with_a_function():
    def run(torch):
        functions = [torch.nn.functional.gelu, torch.relu, torch.nn.functional.relu]
        m = model(torch)
        m.act = functions
        again = pickle.loads(pickle.dumps(m))
        return again.state_dict(), [f is g for f, g in zip(again.act, functions, strict=True)]

    same(run)


def test_prefix_destination_and_keep_vars():
    def run(torch):
        m = model(torch)
        state = {"other": 1}
        returned = m.state_dict(destination=state, prefix="net.", keep_vars=True)
        kept = state["net.0.weight"] is m[0].weight
        return list(state), returned is state, kept, state["net.0.weight"].requires_grad

    same(run)


def test_positional_arguments_warn():
    same_warnings(lambda torch: model(torch).state_dict({}, "p."))


def test_tensors_are_live():
    def run(torch):
        m = model(torch)
        state = m.state_dict()
        with torch.no_grad():
            m[0].weight.fill_(2.0)
        state["0.bias"].fill_(5.0)
        frozen = copy.deepcopy(state)
        with torch.no_grad():
            m[0].weight.fill_(3.0)
        return state, m[0].bias, frozen

    same(run)


def test_load_copies_in_place():
    def run(torch):
        m, other = model(torch), model(torch)
        with torch.no_grad():
            other[0].weight.fill_(1.5)
        parameter, state = m[0].weight, other.state_dict()
        result = m.load_state_dict(state)
        with torch.no_grad():
            other[0].weight.fill_(9.0)
        return m.state_dict(), parameter is m[0].weight, parameter, result

    same(run)


def test_load_assigns():
    def run(torch):
        m, other = model(torch), model(torch).double()
        m[0].weight.requires_grad_(False)
        before = m[0].weight
        state = other.state_dict()
        m.load_state_dict(state, assign=True)
        state["0.bias"].fill_(4.0)
        return m.state_dict(), m[0].weight is before, m[0].weight.requires_grad, m[0].bias.requires_grad

    same(run)


def test_result_is_printed():
    same_print(lambda torch: repr(model(torch).load_state_dict(model(torch).state_dict())))
    same_print(lambda torch: repr(model(torch).load_state_dict({"x": torch.ones(1)}, strict=False)))


def without(state, *keys):
    """state without these keys."""
    return {key: value for key, value in state.items() if key not in keys}


@pytest.mark.parametrize(
    "load",
    [
        lambda torch, m: m.load_state_dict({}),
        lambda torch, m: m.load_state_dict({"x": 1, **m.state_dict(), "0.weight.z": 2}),
        lambda torch, m: m.load_state_dict(without(m.state_dict(), "0.bias", "1.0.running_var")),
        lambda torch, m: m.load_state_dict({**m.state_dict(), "0.weight": torch.ones(4, 2), "0.bias": torch.ones(1)}),
        lambda torch, m: m.load_state_dict({**m.state_dict(), "0.weight": 3}),
        lambda torch, m: m.load_state_dict({**without(m.state_dict(), "0.bias"), "0.weight": torch.ones(1), "y": 0}),
        lambda torch, m: m.load_state_dict({"0.weight": torch.ones(4, 2)}, strict=False),
        lambda torch, m: m.load_state_dict([1, 2]),
    ],
)
def test_errors(load):
    same_error(lambda torch: load(torch, model(torch)))


def test_what_fits_is_loaded_before_the_error():
    def run(torch):
        m = model(torch)
        with pytest.raises(RuntimeError):
            m.load_state_dict({**m.state_dict(), "0.bias": torch.ones(3) * 7, "0.weight": torch.ones(5)})
        return m.state_dict()

    same(run)


def test_scalars_of_old_checkpoints():
    def run(torch):
        m = torch.nn.Module()
        m.p = torch.nn.Parameter(torch.tensor(1.0))
        m.load_state_dict({"p": torch.tensor([4.0])})
        return m.p

    same(run)


def test_batchnorm_of_version_one():
    def run(torch):
        m = torch.nn.BatchNorm1d(3)
        state = m.state_dict()
        del state["num_batches_tracked"]
        del state._metadata
        return m.load_state_dict(state), m.state_dict()

    same(run)


def test_dtype_is_converted_on_load():
    def run(torch):
        m = torch.nn.Linear(2, 1).half()
        m.load_state_dict({"weight": torch.tensor([[1.5, 2.5]]), "bias": torch.tensor([1], dtype=torch.int64)})
        return m.state_dict()

    same(run)


def test_extra_state():
    def run(torch):
        class Counter(torch.nn.Module):
            count = 3

            def get_extra_state(self):
                return {"count": self.count}

            def set_extra_state(self, state):
                self.count = state["count"]

        m = torch.nn.Sequential(Counter())
        state = m.state_dict()
        m[0].count = 9
        m.load_state_dict(state)
        missing = m.load_state_dict({}, strict=False)
        unexpected = torch.nn.Sequential(torch.nn.ReLU()).load_state_dict(state, strict=False)
        return state, m[0].count, missing, unexpected

    same(run)


def test_hooks_of_state_dict():
    def run(torch):
        seen = []
        m = model(torch)

        def post(module, state, prefix, metadata):
            seen.append(("post", prefix, metadata))
            state[prefix + "added"] = torch.ones(1)

        def replace(module, state, prefix, metadata):
            return {key: value for key, value in state.items() if "running" not in key}

        m[1].register_state_dict_post_hook(post)
        m[1].register_state_dict_pre_hook(lambda module, prefix, keep: seen.append(("pre", prefix, keep)))
        m._register_state_dict_hook(replace)
        return list(m.state_dict(prefix="p.")), seen

    same(run)


def test_post_hook_must_return_nothing():
    def run(torch):
        m = torch.nn.ReLU()
        m.register_state_dict_post_hook(lambda *args: {})
        m.state_dict()

    same_error(run)


def test_hooks_of_load_state_dict():
    def run(torch):
        seen = []
        m = model(torch)

        def pre(module, state, prefix, metadata, strict, missing, unexpected, errors):
            seen.append((type(module).__name__, prefix, dict(metadata), strict))
            if "old" in state:
                state[prefix + "bias"] = state.pop("old")

        def post(module, keys):
            seen.append((type(module).__name__, list(keys.missing_keys)))
            keys.missing_keys.clear()

        m[0].register_load_state_dict_pre_hook(pre)
        handle = m[1].register_load_state_dict_post_hook(post)
        state = m.state_dict()
        del state["1.0.bias"]
        m.load_state_dict(state)
        handle.remove()
        return seen, m.load_state_dict(state, strict=False)

    same(run)


def test_load_post_hook_must_return_nothing():
    def run(torch):
        m = torch.nn.ReLU()
        m.register_load_state_dict_post_hook(lambda module, keys: keys)
        m.load_state_dict({})

    same_error(run)


def test_overridden_save_and_load_are_called():
    def run(torch):
        class Flat(torch.nn.Linear):
            def _save_to_state_dict(self, destination, prefix, keep_vars):
                super()._save_to_state_dict(destination, prefix, keep_vars)
                destination[prefix + "flat"] = self.weight.detach().reshape(-1)
                del destination[prefix + "weight"]

            def _load_from_state_dict(self, state_dict, prefix, *args):
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "flat").reshape(self.weight.shape) + 1
                super()._load_from_state_dict(state_dict, prefix, *args)

        torch.manual_seed(0)
        m = torch.nn.Sequential(Flat(2, 2))
        return m.state_dict(), m.load_state_dict(m.state_dict()), m[0].weight

    same(run)


def test_values_for_a_module_on_meta_are_left_out_with_a_warning():
    def run(torch):
        m = torch.nn.Linear(2, 2, device="meta")
        m.load_state_dict({"weight": torch.ones(2, 2), "bias": torch.ones(2, device="meta")})

    same_warnings(run)
