"""Feature extractors beside torchvision's own: names of nodes, what is returned, in training and in evaluation."""

import copy
import importlib

import pytest

from tests.vision.models import nets
from tests.vision.reference import SIDES, pixels, same


def extraction(vision):
    return importlib.import_module(f"{vision.__name__}.models.feature_extraction")


def traced(vision, *args, **options):
    return extraction(vision).create_feature_extractor(*args, **options)


@pytest.mark.parametrize("name", ["resnet", "squeezenet"])
def test_names_of_nodes_are_torchvisions(name):
    def run(torch, vision):
        net = getattr(nets, name)(torch, vision.models)
        return extraction(vision).get_graph_node_names(net, suppress_diff_warning=True)

    same(run)


def small(torch):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 3))

        def forward(self, x):
            x = self.body(x)
            if self.training:
                return x.sin()
            return {"out": torch.relu(x) * 2, "aux": x.cos().cos()}

    torch.manual_seed(3)
    return Net()


CHOSEN = [
    {"return_nodes": ["body"]},
    {"return_nodes": {"body.1": "early", "body.0": "first"}},
    {"train_return_nodes": ["sin"], "eval_return_nodes": {"mul": "out", "cos_1": "last", "body.2": "b"}},
]


@pytest.mark.parametrize("chosen", CHOSEN, ids=str)
def test_what_is_returned_is_torchvisions(chosen):
    def run(torch, vision):
        found = traced(vision, small(torch), suppress_diff_warning=True, **chosen)
        x = torch.tensor(pixels((2, 4), dtype="float32"))
        sides = {mode: found.train(mode)(x) for mode in (True, False)}
        return [(list(out), list(out.values())) for out in sides.values()], [*found.state_dict()]

    same(run)
    torch, vision = SIDES[1]
    found = traced(vision, small(torch), suppress_diff_warning=True, **chosen)
    copied, x = copy.deepcopy(found), torch.ones(1, 4)
    for mode in (True, False):
        assert [*copied.train(mode)(x)] == [*found.train(mode)(x)]


def test_a_resnets_layers():
    def run(torch, vision):
        torch.manual_seed(0)
        net = nets.resnet(torch, vision.models).eval()
        found = traced(vision, net, {"layer1": "low", "layer4.0.relu_1": "high"})
        return [x.shape for x in found(torch.ones(1, 3, 32, 32)).values()], found.training, net.training

    same(run)


def test_errors_and_warnings():
    for bad in ({}, {"train_return_nodes": ["sin"]}, {"return_nodes": ["nothing"]}):
        same(lambda torch, vision, bad=bad: traced(vision, small(torch), suppress_diff_warning=True, **bad))
    words = []
    for torch_, vision in SIDES:
        with pytest.warns(UserWarning, match="When choosing nodes") as seen:
            traced(vision, small(torch_), ["body"])
        words.append([str(w.message) for w in seen if "choosing" in str(w.message)])
    assert words[0] == words[1]
    assert extraction(SIDES[0][1]).__all__ == extraction(SIDES[1][1]).__all__
