"""The benchmarks' models of images, written once and given `torch` or `jtorch` as the module to run on."""


def lenet(torch, shape=None):
    """LeNet-5 with ReLU and max-pooling, on (B, 1, 28, 28)."""
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def _residual(torch, convs, inside, outside, stride):
    """A residual block: (out, kernel, stride) of each of its convolutions, and a projection where sizes differ."""
    nn = torch.nn

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
            channels = inside
            for out, kernel, step in convs:
                self.convs.append(nn.Conv2d(channels, out, kernel, step, kernel // 2, bias=False))
                self.norms.append(nn.BatchNorm2d(out))
                channels = out
            self.relu = nn.ReLU(inplace=True)
            self.short = None
            if stride != 1 or inside != outside:
                self.short = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

        def forward(self, x):
            y = x
            for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
                y = norm(conv(y))
                if i + 1 < len(self.convs):
                    y = self.relu(y)
            return self.relu(y + (x if self.short is None else self.short(x)))

    return Residual()


def block_sizes(shape):
    """(convolutions, channels in, channels out, stride) of each residual block of a ResNet."""
    inside = shape.width
    for level, count in enumerate(shape.blocks):
        width = shape.width << level
        outside = 4 * width if shape.bottleneck else width
        for i in range(count):
            stride = 2 if level and not i else 1
            convs = [(width, 3, stride), (width, 3, 1)]
            if shape.bottleneck:
                convs = [(width, 1, 1), (width, 3, stride), (outside, 1, 1)]
            yield convs, inside, outside, stride
            inside = outside


def resnet(torch, shape):
    """A ResNet (He et al. 2015): small images have a stem of one 3x3 convolution, large ones 7x7 and max-pooling."""
    nn = torch.nn

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            kernel, stride, padding = (3, 1, 1) if shape.size <= 64 else (7, 2, 3)
            self.conv = nn.Conv2d(3, shape.width, kernel, stride, padding, bias=False)
            self.norm = nn.BatchNorm2d(shape.width)
            self.relu = nn.ReLU(inplace=True)
            self.pool = nn.MaxPool2d(3, 2, 1) if shape.size > 64 else nn.Identity()
            sizes = list(block_sizes(shape))
            self.blocks = nn.Sequential(*[_residual(torch, *size) for size in sizes])
            self.mean = nn.AdaptiveAvgPool2d(1)
            self.head = nn.Linear(sizes[-1][2], shape.classes)

        def forward(self, x):
            x = self.pool(self.relu(self.norm(self.conv(x))))
            return self.head(torch.flatten(self.mean(self.blocks(x)), 1))

    return ResNet()


def vae(torch, shape=None):
    """A variational autoencoder of 784 - 400 - 20 - 400 - 784; the noise is given, so that all draw the same."""
    nn = torch.nn

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.mean, self.spread = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
            self.back, self.out = nn.Linear(20, 400), nn.Linear(400, 784)

        def forward(self, x, noise):
            h = torch.relu(self.hidden(x))
            mean, spread = self.mean(h), self.spread(h)
            z = mean + torch.exp(0.5 * spread) * noise
            return torch.sigmoid(self.out(torch.relu(self.back(z)))), mean, spread

    return VAE()


def dcgan(torch, shape):
    """A DCGAN (Radford et al. 2015) on images of 64x64: `.maker` and `.judge`; shape.width channels at 64x64 halved."""
    nn, n = torch.nn, shape.width
    maker = [nn.ConvTranspose2d(shape.noise, 8 * n, 4, 1, 0, bias=False), nn.BatchNorm2d(8 * n), nn.ReLU(True)]
    judge = [nn.Conv2d(3, n, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    for k in (4, 2, 1):
        maker += [nn.ConvTranspose2d(2 * k * n, k * n, 4, 2, 1, bias=False), nn.BatchNorm2d(k * n), nn.ReLU(True)]
    for k in (2, 4, 8):
        judge += [nn.Conv2d(k * n // 2, k * n, 4, 2, 1, bias=False), nn.BatchNorm2d(k * n), nn.LeakyReLU(0.2, True)]
    maker += [nn.ConvTranspose2d(n, 3, 4, 2, 1, bias=False), nn.Tanh()]
    judge += [nn.Conv2d(8 * n, 1, 4, 1, 0, bias=False), nn.Sigmoid()]
    both = nn.ModuleDict({"maker": nn.Sequential(*maker), "judge": nn.Sequential(*judge)})
    for name, p in both.named_parameters():
        norm = p.dim() == 1 and name.endswith("weight")
        nn.init.normal_(p, 1.0 if norm else 0.0, 0.02)
    return both


def unet(torch, shape):
    """A U-Net (Ronneberger et al. 2015) with batch normalisation, (B, 3, *) -> (B, classes, *)."""
    nn = torch.nn

    def double(inside, outside):
        layers = []
        for channels in (inside, outside):
            layers += [nn.Conv2d(channels, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(True)]
        return nn.Sequential(*layers)

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [shape.width << i for i in range(shape.levels + 1)]
            self.first = double(3, widths[0])
            self.down = nn.ModuleList(double(a, b) for a, b in zip(widths, widths[1:], strict=False))
            self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in reversed(widths[:-1]))
            self.merge = nn.ModuleList(double(2 * w, w) for w in reversed(widths[:-1]))
            self.pool = nn.MaxPool2d(2)
            self.head = nn.Conv2d(widths[0], shape.classes, 1)

        def forward(self, x):
            seen = [self.first(x)]
            for layer in self.down:
                seen.append(layer(self.pool(seen[-1])))
            x = seen.pop()
            for up, merge in zip(self.up, self.merge, strict=True):
                x = merge(torch.cat([seen.pop(), up(x)], 1))
            return self.head(x)

    return UNet()
