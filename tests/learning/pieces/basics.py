"""From a quick start to saving and loading, as learners write it: data, transforms, a model, gradients, training, files."""

import os
import re
import struct

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torchvision.models as models
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets
from torchvision.transforms import Lambda, ToTensor, v2

matplotlib.use("Agg")
torch.manual_seed(0)
raw = "data/FashionMNIST/raw"
os.makedirs(raw)
rng = np.random.default_rng(0)
for name, count in (("train", 256), ("t10k", 128)):
    y = rng.integers(10, size=count).astype(np.uint8)
    x = (rng.random((count, 28, 28)) * 80).astype(np.uint8)
    x[np.arange(count), y * 2] += 120
    open(f"{raw}/{name}-images-idx3-ubyte", "wb").write(struct.pack(">4i", 0x803, count, 28, 28) + x.tobytes())
    open(f"{raw}/{name}-labels-idx1-ubyte", "wb").write(struct.pack(">2i", 0x801, count) + y.tobytes())
training_data = datasets.FashionMNIST(root="data", train=True, download=False, transform=ToTensor())
test_data = datasets.FashionMNIST(root="data", train=False, download=False, transform=ToTensor())
print(training_data, len(test_data), training_data[0][0].shape, training_data[0][1], type(training_data[0][1]))
batch_size = 64
train_dataloader = DataLoader(training_data, batch_size=batch_size)
test_dataloader = DataLoader(test_data, batch_size=batch_size)
for X, y in test_dataloader:
    print(f"Shape of X [N, C, H, W]: {X.shape}")
    print(f"Shape of y: {y.shape} {y.dtype}")
    break
device = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
print(f"Using {device} device")


class NeuralNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear_relu_stack = nn.Sequential(
            nn.Linear(28 * 28, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
        )

    def forward(self, x):
        return self.linear_relu_stack(self.flatten(x))


model = NeuralNetwork().to(device)
print(model)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-1)


def train(dataloader, model, loss_fn, optimizer):
    size = len(dataloader.dataset)
    model.train()
    for batch, (X, y) in enumerate(dataloader):
        X, y = X.to(device), y.to(device)
        pred = model(X)
        loss = loss_fn(pred, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch % 2 == 0:
            loss, current = loss.item(), (batch + 1) * len(X)
            print(f"loss: {loss:>7f}  [{current:>5d}/{size:>5d}]")


def test(dataloader, model, loss_fn):
    size = len(dataloader.dataset)
    num_batches = len(dataloader)
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for X, y in dataloader:
            X, y = X.to(device), y.to(device)
            pred = model(X)
            test_loss += loss_fn(pred, y).item()
            correct += (pred.argmax(1) == y).type(torch.float).sum().item()
    test_loss /= num_batches
    correct /= size
    print(f"Test Error: \n Accuracy: {(100 * correct):>0.1f}%, Avg loss: {test_loss:>8f} \n")


for t in range(3):
    print(f"Epoch {t + 1}\n-------------------------------")
    train(train_dataloader, model, loss_fn, optimizer)
    test(test_dataloader, model, loss_fn)
torch.save(model.state_dict(), "model.pth")
model = NeuralNetwork()
print(model.load_state_dict(torch.load("model.pth", weights_only=True)))
classes = training_data.classes
print(classes, training_data.class_to_idx)
model.eval()
x, y = test_data[0][0], test_data[0][1]
with torch.no_grad():
    pred = model(x)
    predicted, actual = classes[pred[0].argmax(0)], classes[y]
    print(f'Predicted: "{predicted}", Actual: "{actual}"')
# datasets & dataloaders
figure = plt.figure(figsize=(8, 8))
cols, rows = 3, 3
for i in range(1, cols * rows + 1):
    sample_idx = torch.randint(len(training_data), size=(1,)).item()
    img, label = training_data[sample_idx]
    figure.add_subplot(rows, cols, i)
    plt.title(classes[label])
    plt.axis("off")
    plt.imshow(img.squeeze(), cmap="gray")
    print(sample_idx, end=" ")
plt.savefig("f.png")
print()
os.makedirs("imgs")
for i in range(5):
    Image.fromarray((rng.random((8, 8)) * 255).astype(np.uint8)).save(f"imgs/tshirt{i}.png")
pd.DataFrame({"f": [f"tshirt{i}.png" for i in range(5)], "l": [0, 1, 0, 2, 9]}).to_csv("labels.csv", index=False)


class CustomImageDataset(Dataset):
    def __init__(self, annotations_file, img_dir, transform=None, target_transform=None):
        self.img_labels = pd.read_csv(annotations_file)
        self.img_dir = img_dir
        self.transform = transform
        self.target_transform = target_transform

    def __len__(self):
        return len(self.img_labels)

    def __getitem__(self, idx):
        img_path = os.path.join(self.img_dir, self.img_labels.iloc[idx, 0])
        image = ToTensor()(Image.open(img_path))
        label = self.img_labels.iloc[idx, 1]
        if self.transform:
            image = self.transform(image)
        if self.target_transform:
            label = self.target_transform(label)
        return image, label


ds = CustomImageDataset(
    "labels.csv",
    "imgs",
    target_transform=Lambda(lambda y: torch.zeros(10, dtype=torch.float).scatter_(0, torch.tensor(y), value=1)),
)
for image, label in DataLoader(ds, batch_size=2, shuffle=True):
    print(image.shape, image.mean(), label)
train_features, train_labels = next(iter(DataLoader(training_data, batch_size=64, shuffle=True)))
print(f"Feature batch shape: {train_features.size()}", f"Labels batch shape: {train_labels.size()}", train_labels[:8])
print(f"Label: {train_labels[0]}", train_features[0].squeeze().mean())
ds = datasets.FashionMNIST(
    root="data",
    train=True,
    transform=v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]),
    target_transform=Lambda(lambda y: torch.zeros(10, dtype=torch.float).scatter_(0, torch.tensor(y), value=1)),
)
print(ds[3][0].mean(), ds[3][1], ds)
# build model
X = torch.rand(1, 28, 28)
logits = model(X)
pred_probab = nn.Softmax(dim=1)(logits)
y_pred = pred_probab.argmax(1)
print(f"Predicted class: {y_pred}")
input_image = torch.rand(3, 28, 28)
print(input_image.size())
flat_image = nn.Flatten()(input_image)
print(flat_image.size())
layer1 = nn.Linear(in_features=28 * 28, out_features=20)
hidden1 = layer1(flat_image)
print(f"Before ReLU: {hidden1}\n\n")
hidden1 = nn.ReLU()(hidden1)
print(f"After ReLU: {hidden1}")
seq_modules = nn.Sequential(nn.Flatten(), layer1, nn.ReLU(), nn.Linear(20, 10))
print(seq_modules(torch.rand(3, 28, 28)))
print(f"Model structure: {model}\n\n")
for name, param in model.named_parameters():
    print(f"Layer: {name} | Size: {param.size()} | Values : {param[:2]} \n")
# autograd
addr = lambda o: re.sub(" at 0x[0-9A-Fa-f]+", "", str(o))
x = torch.ones(5)
y = torch.zeros(3)
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
z = torch.matmul(x, w) + b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
print(f"Gradient function for z = {addr(z.grad_fn)}")
print(f"Gradient function for loss = {addr(loss.grad_fn)}")
loss.backward()
print(w.grad)
print(b.grad)
z = torch.matmul(x, w) + b
print(z.requires_grad)
with torch.no_grad():
    z = torch.matmul(x, w) + b
print(z.requires_grad)
z = torch.matmul(x, w) + b
z_det = z.detach()
print(z_det.requires_grad)
inp = torch.eye(4, 5, requires_grad=True)
out = (inp + 1).pow(2).t()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"First call\n{inp.grad}")
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\nSecond call\n{inp.grad}")
inp.grad.zero_()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\nCall after zeroing gradients\n{inp.grad}")
# save/load
net = models.squeezenet1_1()
torch.save(net.features.state_dict(), "model_weights.pth")
net2 = models.squeezenet1_1()
net2.features.load_state_dict(torch.load("model_weights.pth", weights_only=True))
print(net2.eval())
torch.save(model, "model.pth")
try:
    torch.load("model.pth")
except Exception as e:
    print(type(e).__name__)
model = torch.load("model.pth", weights_only=False)
print(model(X).shape)
torch.save(
    {"epoch": 5, "model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "loss": loss},
    "ck.pt",
)
checkpoint = torch.load("ck.pt", weights_only=True)
print(checkpoint["epoch"], checkpoint["loss"], checkpoint["optimizer_state_dict"])
for param_tensor in model.state_dict():
    print(param_tensor, "\t", model.state_dict()[param_tensor].size())
for var_name in optimizer.state_dict():
    print(var_name, "\t", optimizer.state_dict()[var_name])
state_dict = torch.load("ck.pt", mmap=True, weights_only=True)
with torch.device("meta"):
    m = NeuralNetwork()
print(m.linear_relu_stack[0].weight.device)
m.load_state_dict(state_dict["model_state_dict"], assign=True)
print(m(X).shape)
