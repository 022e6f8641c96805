"""Pruning beside torch: masks, values, gradients, keys, repeated pruning, removal, what is refused."""

import copy

import pytest
import torch.nn.utils.prune  # noqa: F401 - nn.utils does not hand it on

from tests.oracle import same, same_error


def layer(torch, *shape):
    """A linear layer of distinct weights."""
    torch.manual_seed(5)
    return torch.nn.Linear(*(shape or (4, 3)))


ONCE = {
    "identity": "P.identity(m, 'weight')",
    "random": "P.random_unstructured(m, 'weight', 0.4)",
    "random count": "P.random_unstructured(m, 'weight', 5)",
    "random none": "P.random_unstructured(m, 'weight', 0)",
    "l1": "P.l1_unstructured(m, 'weight', amount=0.3)",
    "l1 bias": "P.l1_unstructured(m, 'bias', amount=2)",
    "l1 scores": "P.l1_unstructured(m, 'weight', 5, importance_scores=torch.arange(12.0).view(3, 4))",
    "random rows": "P.random_structured(m, 'weight', 1, dim=0)",
    "random columns": "P.random_structured(m, 'weight', 0.5, -1)",
    "no rows": "P.random_structured(m, 'weight', 0, 0)",
    "rows": "P.ln_structured(m, 'weight', amount=0.4, n=2, dim=0)",
    "columns": "P.ln_structured(m, 'weight', amount=2, n=float('-inf'), dim=1)",
    "no columns": "P.ln_structured(m, 'weight', amount=0, n=1, dim=-1)",
    "rows by scores": "P.ln_structured(m, 'weight', 1, 1, 0, importance_scores=torch.arange(12.0).view(3, 4))",
    "mask": "P.custom_from_mask(m, 'weight', torch.tensor([[1, 0, 1, 1]] * 3))",
    "l1 of l1": "P.l1_unstructured(P.l1_unstructured(m, 'weight', 4), 'weight', 0.5)",
    "rows of l1": "P.ln_structured(P.l1_unstructured(m, 'weight', 4), 'weight', 1, 2, 0)",
    "rows of rows": "P.ln_structured(P.ln_structured(m, 'weight', 1, 2, 0), 'weight', 1, 2, 0)",
    "three": "P.custom_from_mask(P.random_unstructured(P.identity(m, 'weight'), 'weight', 3), 'weight', "
    "torch.eye(3, 4))",
}


def test_each_kind():
    def run(torch):
        found = {}
        for name, text in ONCE.items():
            m = layer(torch)
            member = "bias" if "bias" in name else "weight"
            same_one = eval(text, {"m": m, "P": torch.nn.utils.prune, "torch": torch}) is m
            (m(torch.arange(4.0)) ** 2).sum().backward()
            hooks = [type(hook).__name__ for hook in m._forward_pre_hooks.values()]
            grads = [p.grad for p in m.parameters()]
            found[name] = same_one, dict(m.state_dict()), getattr(m, member), grads, hooks, torch.rand(1)
            torch.nn.utils.prune.remove(m, member)
            found[name] += list(m.state_dict()), getattr(m, member), torch.nn.utils.prune.is_pruned(m)
        return found

    same(run, grad_fn=False)


def test_global():
    def run(torch):
        P = torch.nn.utils.prune
        m = torch.nn.Sequential(layer(torch), torch.nn.ReLU(), layer(torch, 3, 2))
        before = P.is_pruned(m)
        members = [(m[0], "weight"), (m[2], "weight"), (m[2], "bias")]
        P.l1_unstructured(m[2], "weight", 2)
        P.global_unstructured(members, pruning_method=P.L1Unstructured, amount=0.3)
        first = {k: v.clone() for k, v in m.state_dict().items()}
        scores = {(m[0], "weight"): torch.arange(12.0).view(3, 4)}
        P.global_unstructured(members, P.RandomUnstructured, importance_scores=scores, amount=3)
        with torch.no_grad():  # so that it can be copied: what is pruned is no leaf otherwise
            m(torch.ones(4))
        return before, first, dict(m.state_dict()), P.is_pruned(m), copy.deepcopy(m)(torch.ones(4))

    same(run, grad_fn=False)


def test_training_keeps_the_mask():
    def run(torch):
        P, m = torch.nn.utils.prune, layer(torch)
        P.l1_unstructured(m, "weight", 0.5)
        optimizer = torch.optim.SGD(m.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            (m(torch.ones(4)) ** 2).sum().backward()
            optimizer.step()
        return m.weight, m.weight_orig, m(torch.ones(4))

    same(run, grad_fn=False)


def test_a_method_of_ones_own():
    def run(torch):
        P = torch.nn.utils.prune

        class Every(P.BasePruningMethod):
            PRUNING_TYPE = "unstructured"

            def __init__(self, n):
                self.n = n

            def compute_mask(self, t, default_mask):
                mask = default_mask.clone()
                mask.view(-1)[:: self.n] = 0
                return mask

        m = layer(torch)
        Every.apply(m, "weight", 2)
        Every.apply(m, "weight", n=2)
        hook = next(iter(m._forward_pre_hooks.values()))
        return m.weight, len(hook), [x.n for x in hook], hook[0]._tensor_name, Every(3).prune(torch.ones(2, 4))

    same(run, grad_fn=False)


REFUSED = [
    "P.l1_unstructured(m, 'weight', 13)", "P.l1_unstructured(m, 'weight', 1.5)", "P.l1_unstructured(m, 'weight', -1)",
    "P.l1_unstructured(m, 'weight', -0.5)", "P.l1_unstructured(m, 'weight', 'half')",
    "P.random_structured(m, 'bias', 1, 0)", "P.random_structured(m, 'weight', 1, 2)",
    "P.ln_structured(m, 'weight', 4, 2, 0)", "P.remove(m, 'weight')", "P.identity(m, 'gone')",
    "P.l1_unstructured(m, 'weight', 1, importance_scores=torch.ones(2))",
    "P.L1Unstructured(1).prune(torch.ones(2, 2), importance_scores=torch.ones(2))",
    "P.custom_from_mask(m, 'weight', torch.ones(2, 2))", "P.PruningContainer().add_pruning_method(3)",
    "P.global_unstructured(3, P.L1Unstructured)", "P.global_unstructured([(m, 'weight')], P.L1Unstructured, [1])",
    "P.global_unstructured([(m, 'weight')], P.RandomStructured, amount=1)",
    "P.global_unstructured([(m, 'weight')], P.L1Unstructured, amount=50)", "P.BasePruningMethod()",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refusals(text):
    words = "RandomStructured" not in text  # a message that shows the class shows its module
    same_error(lambda torch: eval(text, {"m": layer(torch), "P": torch.nn.utils.prune, "torch": torch}), text=words)


def test_nothing_is_left_of_a_refused_pruning():
    def run(torch):
        m = layer(torch)
        with pytest.raises(ValueError, match="amount"):
            torch.nn.utils.prune.l1_unstructured(m, "weight", 13)
        return list(m.state_dict()), m(torch.ones(4))

    same(run)
