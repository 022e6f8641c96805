"""add_graph: modules, parameters and shapes as in the graph that torch's writer makes; nothing is computed for it."""

import os

import pytest
import torch
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from torch.utils.tensorboard import SummaryWriter as TorchWriter

import jtorch
from jtorch.engine import stats
from jtorch.utils.tensorboard import SummaryWriter

WRITERS = ((torch, TorchWriter), (jtorch, SummaryWriter))


def net(torch):
    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3)
            self.norm = torch.nn.BatchNorm2d(4)

        def forward(self, x):
            return torch.nn.functional.relu(self.norm(self.conv(x)))

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.features = torch.nn.Sequential(Block(), torch.nn.MaxPool2d(2), torch.nn.Dropout())
            self.scale = torch.nn.Parameter(torch.ones(3))
            self.fc = torch.nn.Linear(36, 5)
            self.unused = torch.nn.Linear(2, 2)

        def forward(self, x, y=None):
            x = self.features(x * self.scale.view(3, 1, 1))
            x = self.fc(x.flatten(1))
            return x if y is None else (x + y, y)

    return Net()


def written(folder, lib, writer_class, model, inputs):
    """(graph, run metadata) of an event file."""
    with writer_class(folder / lib.__name__) as writer:
        writer.add_graph(model, inputs)
    (name,) = os.listdir(folder / lib.__name__)
    events = [Event.FromString(raw) for raw in RawEventFileLoader(str(folder / lib.__name__ / name)).Load()]
    found = next(event for event in events if event.HasField("graph_def"))
    tagged = next(event for event in events if event.HasField("tagged_run_metadata"))
    return GraphDef.FromString(found.graph_def), tagged.tagged_run_metadata


def scopes(graph):
    """The modules in which there are nodes, parameters aside."""
    return {node.name.rpartition("/")[0] for node in graph.node if node.op not in ("prim::GetAttr", "prim::Constant")}


def sizes(node):
    return [dim.size for dim in node.attr["_output_shapes"].list.shape[0].dim]


@pytest.mark.parametrize("count", [1, 2])
def test_modules_parameters_and_shapes_are_torchs(tmp_path, count):
    found = []
    for lib, writer_class in WRITERS:
        model = net(lib)
        inputs = lib.ones(2, 3, 8, 8)
        graph, tagged = written(tmp_path, lib, writer_class, model, inputs if count == 1 else (inputs, lib.ones(5)))
        assert model.training
        names = [node.name for node in graph.node]
        assert len(set(names)) == len(names)
        if lib is jtorch:  # some inputs of torch's nodes are there under another name
            assert {name for node in graph.node for name in node.input} <= set(names)
        parameters = {node.name.rpartition("/")[0] for node in graph.node if node.op == "prim::GetAttr"}
        convolution = [node for node in graph.node if "Conv2d[conv]" in node.name and "conv" in node.op]
        ends = sorted((node.name, node.op, sizes(node)) for node in graph.node if node.name.startswith("output/"))
        begins = [(node.name.removesuffix(".1"), sizes(node)) for node in graph.node if node.name.startswith("input/")]
        shapes = [sizes(node) for node in convolution]
        found.append((scopes(graph), parameters, shapes, ends, begins, tagged, graph.versions))
    theirs, ours = found
    assert theirs[1] >= {"Net/Linear[fc]/weight", "Net/scale"}
    # torch's modules that only pass a value on, as dropout in eval mode, hold a constant alone.
    assert ours[0] - {"Net/Sequential[features]/Dropout[2]"} == theirs[0] - {"Net/Sequential[features]/Dropout[2]"}
    assert ours[1] == theirs[1]
    if count == 1:
        assert ours[3] == theirs[3]
    else:  # torch shows a tuple as one output of no size
        assert ours[3] == [("output/output.1", "IO Node", [2, 5]), ("output/output.2", "IO Node", [5])]
    assert ours[2] == theirs[2]
    assert ours[4:] == theirs[4:]


def resnet50(torch):
    nn = torch.nn

    class Bottleneck(nn.Module):
        def __init__(self, inside, planes, stride):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(inside, planes, 1, bias=False), nn.BatchNorm2d(planes)
            self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False), nn.BatchNorm2d(planes)
            self.conv3, self.bn3 = nn.Conv2d(planes, planes * 4, 1, bias=False), nn.BatchNorm2d(planes * 4)
            self.relu = nn.ReLU(inplace=True)
            self.downsample = None
            if stride != 1 or inside != planes * 4:
                shortcut = nn.Conv2d(inside, planes * 4, 1, stride, bias=False)
                self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(planes * 4))

        def forward(self, x):
            out = self.relu(self.bn1(self.conv1(x)))
            out = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(out)))))
            out += x if self.downsample is None else self.downsample(x)
            return self.relu(out)

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1, self.relu = nn.Conv2d(1, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU()
            self.maxpool, inside = nn.MaxPool2d(3, 2, 1), 8
            for i, count in enumerate((3, 4, 6, 3)):
                blocks = []
                for number in range(count):
                    blocks.append(Bottleneck(inside, 8 << i, 1 + (i > 0 and number == 0)))
                    inside = (8 << i) * 4
                setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
            self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(inside, 10)

        def forward(self, x):
            x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return self.fc(torch.flatten(self.avgpool(x), 1))

    return ResNet()


def test_a_resnet_50_without_computing_it(tmp_path):
    found = []
    for lib, writer_class in WRITERS:
        model, x = resnet50(lib), lib.ones(2, 1, 64, 64)
        assert [p.sum().item() for p in model.parameters()]
        stats.reset()
        graph, _ = written(tmp_path, lib, writer_class, model, x)
        shapes = [sizes(node) for node in graph.node if "conv" in node.op]
        found.append((scopes(graph), shapes, len([node for node in graph.node if node.op == "prim::GetAttr"])))
    assert stats.compiles == stats.programs == 0
    assert found[0] == found[1]
    assert len(found[1][1]) == 53


def test_a_model_that_reads_values_and_keeps_some(tmp_path):
    class Net(jtorch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = jtorch.nn.Linear(3, 3)

        def forward(self, x):
            x = self.fc(x)
            if x.sum() > -1e9:
                x = x.relu()
            self.kept = x * 2
            return x + 1

    model = Net()
    graph, _ = written(tmp_path, jtorch, SummaryWriter, model, jtorch.ones(2, 3))
    ops = [node.op for node in graph.node]
    assert {"aten::linear", "aten::relu", "aten::add"} <= set(ops)
    relu = next(node for node in graph.node if node.op == "aten::relu")
    assert relu.input[0].startswith("Net/Linear[fc]/")
    assert model.kept.shape == (2, 3)
    assert (model.kept >= 0).all()


def test_errors(tmp_path, capsys):
    said = []
    for lib, writer_class in WRITERS:
        model = lib.nn.Linear(3, 3)
        with writer_class(tmp_path) as writer, pytest.raises(RuntimeError) as caught:
            writer.add_graph(model, lib.ones(2, 4))
        assert model.training
        assert not model._forward_hooks
        said.append((str(caught.value), capsys.readouterr().out))
    assert said[0] == said[1]
