"""TensorBoard as learners use it: a grid, the graph of a changed ResNet-50, figures, embeddings, PR curves; then read back."""

import glob
import os

import matplotlib
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter
from torchvision import models

matplotlib.use("Agg")
import matplotlib.pyplot as plt

torch.manual_seed(0)
writer = SummaryWriter("runs/a")
images = torch.rand(8, 1, 28, 28)
labels = torch.randint(10, (8,))
model = models.resnet50(False)
model.conv1 = torch.nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
grid = torchvision.utils.make_grid(images)
print(grid.shape, grid.mean())
writer.add_image("images", grid, 0)
writer.add_graph(model, images)
writer.close()


def matplotlib_imshow(img, one_channel=False):
    if one_channel:
        img = img.mean(dim=0)
    img = img / 2 + 0.5
    npimg = img.numpy()
    if one_channel:
        plt.imshow(npimg, cmap="Greys")
    else:
        plt.imshow(np.transpose(npimg, (1, 2, 0)))


classes = tuple("T Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Boot".split())
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def images_to_probs(net, images):
    output = net(images)
    _, preds_tensor = torch.max(output, 1)
    preds = np.squeeze(preds_tensor.numpy())
    return preds, [F.softmax(el, dim=0)[i].item() for i, el in zip(preds, output)]


def plot_classes_preds(net, images, labels):
    preds, probs = images_to_probs(net, images)
    fig = plt.figure(figsize=(12, 48))
    for idx in np.arange(4):
        ax = fig.add_subplot(1, 4, idx + 1, xticks=[], yticks=[])
        matplotlib_imshow(images[idx], one_channel=True)
        ax.set_title(
            "{0}, {1:.1f}%\n(label: {2})".format(classes[preds[idx]], probs[idx] * 100.0, classes[labels[idx]]),
            color=("green" if preds[idx] == labels[idx].item() else "red"),
        )
        print(ax.get_title())
    return fig


print(images_to_probs(net, images))
writer = SummaryWriter("runs/b")
img_grid = torchvision.utils.make_grid(images[:4])
matplotlib_imshow(img_grid, one_channel=True)
writer.add_image("four", img_grid)
writer.add_graph(net, images)


def select_n_random(data, labels, n=4):
    assert len(data) == len(labels)
    perm = torch.randperm(len(data))
    return data[perm][:n], labels[perm][:n]


data = (images * 255).to(torch.uint8).squeeze(1)
sel, sl = select_n_random(data, labels)
class_labels = [classes[lab] for lab in sl]
print(class_labels)
features = sel.view(-1, 28 * 28)
writer.add_embedding(features, metadata=class_labels, label_img=sel.unsqueeze(1))
writer.add_figure("predictions vs. actuals", plot_classes_preds(net, images, labels), global_step=1)
class_probs, class_label = [], []
with torch.no_grad():
    for xb, yb in ((images[:4], labels[:4]), (images[4:], labels[4:])):
        output = net(xb)
        class_probs.append([F.softmax(el, dim=0) for el in output])
        class_label.append(yb)
test_probs = torch.cat([torch.stack(batch) for batch in class_probs])
test_label = torch.cat(class_label)
for i in range(10):
    writer.add_pr_curve(classes[i], test_label == i, test_probs[:, i], global_step=0)
for n_iter in range(10):
    writer.add_scalar("Loss/train", torch.tensor(1 / (n_iter + 1)), n_iter)
    writer.add_scalars("run", {"sin": np.sin(n_iter), "cos": np.cos(n_iter)}, n_iter)
    writer.add_histogram("h", torch.randn(100) + n_iter, n_iter)
writer.add_text("note", "hello", 0)
writer.add_hparams({"lr": 0.1, "bsize": 1}, {"hparam/accuracy": 10.0})
writer.flush()
writer.close()
for d in ("runs/a", "runs/b"):
    ea = EventAccumulator(d, size_guidance={"images": 0, "tensors": 0})
    ea.Reload()
    t = ea.Tags()
    print(d, {k: sorted(v) if isinstance(v, list) else v for k, v in t.items() if k != "run_metadata"})
    for tag in t["scalars"]:
        print(tag, [(e.step, round(e.value, 5)) for e in ea.Scalars(tag)])
    g = ea.Graph()
    print(type(g).__name__, len(g.node) > 3, sorted({n.name.split("/")[0] for n in g.node})[:4])
print(
    sorted(
        os.path.relpath(p, "runs").split("events")[0]
        for p in glob.glob("runs/b/**", recursive=True)
        if "hparam" not in p and not p[-3:].isdigit() and "runs/b/1" not in p
    )[:20]
)
