"""Spatial transformers, adversarial pictures, super-resolution and a U-Net, as learners write them."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
import torchvision
from torchvision import transforms

torch.manual_seed(0)


# spatial transformer
class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 4, kernel_size=5)
        self.conv2 = nn.Conv2d(4, 8, kernel_size=5)
        self.conv2_drop = nn.Dropout2d()
        self.fc1 = nn.Linear(128, 50)
        self.fc2 = nn.Linear(50, 10)
        self.localization = nn.Sequential(
            nn.Conv2d(1, 8, kernel_size=7),
            nn.MaxPool2d(2, stride=2),
            nn.ReLU(True),
            nn.Conv2d(8, 10, kernel_size=5),
            nn.MaxPool2d(2, stride=2),
            nn.ReLU(True),
        )
        self.fc_loc = nn.Sequential(nn.Linear(10 * 3 * 3, 32), nn.ReLU(True), nn.Linear(32, 3 * 2))
        self.fc_loc[2].weight.data.zero_()
        self.fc_loc[2].bias.data.copy_(torch.tensor([1, 0, 0, 0, 1, 0], dtype=torch.float))

    def stn(self, x):
        xs = self.localization(x)
        xs = xs.view(-1, 10 * 3 * 3)
        theta = self.fc_loc(xs)
        theta = theta.view(-1, 2, 3)
        grid = F.affine_grid(theta, x.size())
        return F.grid_sample(x, grid)

    def forward(self, x):
        x = self.stn(x)
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
        x = x.view(-1, 128)
        x = F.relu(self.fc1(x))
        x = F.dropout(x, training=self.training)
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)


model = Net()
optimizer = optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(8, 1, 28, 28), torch.randint(10, (8,))
for i in range(3):
    optimizer.zero_grad()
    output = model(x)
    loss = F.nll_loss(output, y)
    loss.backward()
    optimizer.step()
    print("Train Epoch: {} [{}/{} ({:.0f}%)]\tLoss: {:.6f}".format(1, i * len(x), 24, 100.0 * i / 3, loss.item()))
model.eval()
with torch.no_grad():
    test_loss = F.nll_loss(model(x), y, reduction="sum").item()
    pred = model(x).max(1, keepdim=True)[1]
    print(test_loss, pred.eq(y.view_as(pred)).sum().item(), pred.T)
    g = torchvision.utils.make_grid(model.stn(x))
    inp = g.numpy().transpose((1, 2, 0))
    print(inp.shape, inp.mean())


# FGSM
def fgsm_attack(image, epsilon, data_grad):
    sign_data_grad = data_grad.sign()
    perturbed_image = image + epsilon * sign_data_grad
    return torch.clamp(perturbed_image, 0, 1)


def denorm(batch, mean=[0.1307], std=[0.3081]):
    if isinstance(mean, list):
        mean = torch.tensor(mean)
    if isinstance(std, list):
        std = torch.tensor(std)
    return batch * std.view(1, -1, 1, 1) + mean.view(1, -1, 1, 1)


correct = 0
adv_examples = []
for k in range(4):
    data, target = torch.rand(1, 1, 28, 28), torch.randint(10, (1,))
    data.requires_grad = True
    output = model(data)
    init_pred = output.max(1, keepdim=True)[1]
    if init_pred.item() != target.item() and k:
        target = init_pred[0]
    loss = F.nll_loss(output, target)
    model.zero_grad()
    loss.backward()
    data_grad = data.grad.data
    data_denorm = denorm(data)
    perturbed = fgsm_attack(data_denorm, 0.3, data_grad)
    pn = transforms.Normalize((0.1307,), (0.3081,))(perturbed)
    output = model(pn)
    final_pred = output.max(1, keepdim=True)[1]
    adv_ex = perturbed.squeeze().detach().cpu().numpy()
    adv_examples.append((init_pred.item(), final_pred.item(), adv_ex.sum()))
    correct += int(final_pred.item() == target.item())
print(f"Epsilon: {0.3}\tTest Accuracy = {correct} / {4} = {correct / 4}", adv_examples)


# super-resolution
class SuperResolutionNet(nn.Module):
    def __init__(self, upscale_factor, inplace=False):
        super().__init__()
        self.relu = nn.ReLU(inplace=inplace)
        self.conv1 = nn.Conv2d(1, 8, (5, 5), (1, 1), (2, 2))
        self.conv4 = nn.Conv2d(8, upscale_factor**2, (3, 3), (1, 1), (1, 1))
        self.pixel_shuffle = nn.PixelShuffle(upscale_factor)
        self._initialize_weights()

    def forward(self, x):
        return self.pixel_shuffle(self.conv4(self.relu(self.conv1(x))))

    def _initialize_weights(self):
        nn.init.orthogonal_(self.conv1.weight, nn.init.calculate_gain("relu"))
        nn.init.orthogonal_(self.conv4.weight)


m = SuperResolutionNet(3)
print(m, m(torch.randn(2, 1, 6, 6)).shape, m(torch.ones(1, 1, 2, 2)))


# U-Net
def double(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.d1, self.d2 = double(1, 4), double(4, 8)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.u1 = double(8, 4)
        self.out = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(self.pool(a))
        c = self.up(b)
        dy, dx = a.size(2) - c.size(2), a.size(3) - c.size(3)
        c = F.pad(c, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.out(self.u1(torch.cat([a, c], dim=1)))


m = UNet()
opt = optim.RMSprop(m.parameters(), lr=1e-3, weight_decay=1e-8, momentum=0.9)
x, t = torch.randn(2, 1, 17, 17), (torch.rand(2, 1, 17, 17) > 0.5).float()


def dice(p, t):
    p = torch.sigmoid(p)
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


for _ in range(3):
    l = F.binary_cross_entropy_with_logits(m(x), t) + dice(m(x), t)
    opt.zero_grad()
    l.backward()
    nn.utils.clip_grad_norm_(m.parameters(), 1.0)
    opt.step()
    print(l.item())
