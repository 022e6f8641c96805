"""Tensors, autograd and a network cell by cell, as learners type them in, and the errors that they meet."""

import re

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

torch.manual_seed(0)
data = [[1, 2], [3, 4]]
x_data = torch.tensor(data)
np_array = np.array(data)
x_np = torch.from_numpy(np_array)
x_ones = torch.ones_like(x_data)
print(f"Ones Tensor: \n {x_ones} \n")
x_rand = torch.rand_like(x_data, dtype=torch.float)
print(f"Random Tensor: \n {x_rand} \n")
try:
    torch.rand_like(x_data)
except Exception as e:
    print(type(e), e)
shape = (
    2,
    3,
)
print(f"Zeros Tensor: \n {torch.zeros(shape)}", torch.rand(shape), torch.ones(shape))
tensor = torch.rand(3, 4)
print(f"Shape of tensor: {tensor.shape}")
print(f"Datatype of tensor: {tensor.dtype}")
print(f"Device tensor is stored on: {tensor.device}")
if torch.accelerator.is_available():
    tensor = tensor.to(torch.accelerator.current_accelerator())
tensor = torch.ones(4, 4)
tensor[:, 1] = 0
print(tensor)
print(f"First row: {tensor[0]}")
print(f"Last column: {tensor[..., -1]}")
t1 = torch.cat([tensor, tensor, tensor], dim=1)
print(t1)
print(f"tensor.mul(tensor) \n {tensor.mul(tensor)} \n", tensor * tensor, tensor.matmul(tensor.T), tensor @ tensor.T)
y3 = torch.rand_like(tensor)
print(torch.matmul(tensor, tensor.T, out=y3))
print(torch.mul(tensor, tensor, out=y3))
agg = tensor.sum()
agg_item = agg.item()
print(agg_item, type(agg_item))
print(tensor, "\n")
tensor.add_(5)
print(tensor)
t = torch.ones(5)
n = t.numpy()
t.add_(1)
print(f"t: {t}")
print(f"n: {n}")
n = np.ones(5)
t = torch.from_numpy(n)
np.add(n, 1, out=n)
print(t, n)
# old blitz
x = torch.empty(5, 3)
print(x.shape)
x = torch.zeros(5, 3, dtype=torch.long)
print(x)
x = torch.tensor([5.5, 3])
print(x)
x = x.new_ones(5, 3, dtype=torch.double)
print(x)
x = torch.randn_like(x, dtype=torch.float)
print(x)
print(x.size())
y = torch.rand(5, 3)
print(x + y)
print(torch.add(x, y))
result = torch.empty(5, 3)
torch.add(x, y, out=result)
print(result)
y.add_(x)
print(y, x[:, 1])
x = torch.randn(4, 4)
y = x.view(16)
z = x.view(-1, 8)
print(x.size(), y.size(), z.size())
x = torch.randn(1)
print(x)
print(x.item())
# autograd
a = torch.tensor([2.0, 3.0], requires_grad=True)
b = torch.tensor([6.0, 4.0], requires_grad=True)
Q = 3 * a**3 - b**2
print(Q)
Q.backward(gradient=torch.tensor([1.0, 1.0]))
print(9 * a**2 == a.grad)
print(-2 * b == b.grad)
x = torch.rand(5, 5)
y = torch.rand(5, 5)
z = torch.rand((5, 5), requires_grad=True)
a = x + y
print(f"Does `a` require gradients?: {a.requires_grad}")
b = x + z
print(f"Does `b` require gradients?: {b.requires_grad}")
a = torch.randn(2, 2)
a = (a * 3) / (a - 1)
print(a.requires_grad)
a.requires_grad_(True)
print(a.requires_grad)
b = (a * a).sum()
print(b.grad_fn.__class__.__name__, b)
x = torch.ones(2, 2, requires_grad=True)
print(x)
y = x + 2
print(y)
print(str(y.grad_fn).split(" ")[0])
z = y * y * 3
out = z.mean()
print(z, out)
out.backward()
print(x.grad)
x = torch.randn(3, requires_grad=True)
y = x * 2
while y.data.norm() < 1000:
    y = y * 2
print(y)
v = torch.tensor([0.1, 1.0, 0.0001], dtype=torch.float)
y.backward(v)
print(x.grad)
print(x.requires_grad, (x**2).requires_grad)
with torch.no_grad():
    print((x**2).requires_grad)
y = x.detach()
print(y.requires_grad)
print(x.eq(y).all())


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, input):
        c1 = F.relu(self.conv1(input))
        s2 = F.max_pool2d(c1, (2, 2))
        c3 = F.relu(self.conv2(s2))
        s4 = F.max_pool2d(c3, 2)
        s4 = torch.flatten(s4, 1)
        f5 = F.relu(self.fc1(s4))
        f6 = F.relu(self.fc2(f5))
        return self.fc3(f6)

    def num_flat_features(self, x):
        size = x.size()[1:]
        num_features = 1
        for s in size:
            num_features *= s
        return num_features


net = Net()
print(net)
params = list(net.parameters())
print(len(params))
print(params[0].size())
print(params[1], params[9])
input = torch.randn(1, 1, 32, 32)
out = net(input)
print(out)
net.zero_grad()
out.backward(torch.randn(1, 10))
output = net(input)
target = torch.randn(10)
target = target.view(1, -1)
criterion = nn.MSELoss()
loss = criterion(output, target)
print(loss)
addr = lambda o: re.sub(" at 0x[0-9a-f]+", "", str(o))
print(addr(loss.grad_fn))
print(addr(loss.grad_fn.next_functions[0][0]))
print(addr(loss.grad_fn.next_functions[0][0].next_functions[0][0]))
print(addr(loss.grad_fn.next_functions))
net.zero_grad()
print("conv1.bias.grad before backward")
print(net.conv1.bias.grad)
loss.backward()
print(net.conv1.bias.grad)
learning_rate = 0.01
for f in net.parameters():
    f.data.sub_(f.grad.data * learning_rate)
optimizer = optim.SGD(net.parameters(), lr=0.01)
optimizer.zero_grad()
output = net(input)
loss = criterion(output, target)
loss.backward()
optimizer.step()
print(loss, optimizer)
for bad in (
    lambda: net(torch.randn(1, 32, 32, 3)),
    lambda: net(torch.randn(1, 1, 28, 28)),
    lambda: criterion(output, torch.randn(3)),
    lambda: torch.randn(2, 3) @ torch.randn(2, 3),
    lambda: torch.ones(2, 3).view(4),
    lambda: torch.tensor([1, 2]).mean(),
    lambda: torch.tensor([[1, 2], [3]]),
    lambda: x.numpy(),
    lambda: bool(torch.ones(2)),
    lambda: torch.cat([torch.ones(2, 3), torch.ones(3, 2)]),
    lambda: torch.ones(2).item(),
    lambda: net.load_state_dict({}),
    lambda: torch.ones(3)[5],
    lambda: torch.ones(2, device="cuda"),
    lambda: nn.Linear(3, 4)(torch.ones(2, 5)),
    lambda: torch.ones(2).foo,
    lambda: net.nothing,
    lambda: F.cross_entropy(torch.randn(3, 5), torch.tensor([1.0, 2.0, 3.0])),
    lambda: torch.randint(3, (2,)).requires_grad_(),
    lambda: torch.ones(2, 3) + torch.ones(2, 4),
    lambda: torch.zeros(2, 3, dtype=torch.int).backward(),
    lambda: F.one_hot(torch.tensor([1.0])),
    lambda: torch.ones(2, requires_grad=True).backward(),
):
    try:
        print(bad())
    except Exception as e:
        print(type(e).__name__, str(e)[:700])
