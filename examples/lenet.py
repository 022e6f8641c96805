"""A LeNet: layers and their parameters, the graph behind a loss, and a training step by hand and by optim."""

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn, optim


class LeNet(nn.Module):
    """Two convolutions with pooling, three linear layers. Shape: (B, 1, 32, 32) -> (B, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def path_of(node):
    """The graph from a node down to the first leaf, along the longest way."""
    names = []
    while node is not None:
        names.append(node.name())
        onward = [follower for follower, _ in node.next_functions if follower is not None]
        node = next((f for f in onward if f.name() != "struct torch::autograd::AccumulateGrad"), None)
    return names


def main():
    torch.manual_seed(0)
    net = LeNet()
    print(net)
    for name, parameter in net.named_parameters():
        print(f"{name:13} {tuple(parameter.shape)}")
    print("weights in all:", sum(p.numel() for p in net.parameters()))

    image = torch.randn(1, 1, 32, 32)
    output = net(image)
    print("output", output, sep="\n")
    net.zero_grad()
    output.backward(torch.randn(1, 10), retain_graph=True)
    print("gradient of conv1.bias", net.conv1.bias.grad)

    target = torch.arange(10.0).unsqueeze(0)
    loss = nn.MSELoss()(output, target)
    print("loss", loss)
    print("its graph:", *path_of(loss.grad_fn))

    net.zero_grad()
    print("conv1.bias before backward", net.conv1.bias.grad)
    loss.backward()
    print("conv1.bias after backward", net.conv1.bias.grad)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter -= 0.01 * parameter.grad

    optimizer = optim.SGD(net.parameters(), lr=0.01)
    for step in range(1, 6):
        optimizer.zero_grad()
        loss = F.mse_loss(net(image), target)
        loss.backward()
        optimizer.step()
        print(f"step {step}: loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
