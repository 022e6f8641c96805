"""Hooks: looking into a network while it works: activations, gradients, and what a picture's pixels do."""

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn


class Net(nn.Module):
    """Shape: (B, 1, 8, 8) -> (B, 3)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 2 * 2, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def statistics(net, x):
    """A forward hook on each layer: what goes in, what comes out."""
    handles = []
    for name, module in net.named_children():

        def hook(module, args, output, name=name):
            mean, std = output.mean().item(), output.std().item()
            print(f"  {name}: {tuple(args[0].shape)} -> {tuple(output.shape)}, mean {mean:.4f} std {std:.4f}")

        handles.append(module.register_forward_hook(hook))
    net(x)
    for handle in handles:
        handle.remove()
    print("  removed:", [len(module._forward_hooks) for module in net.children()])


def changing(net, x):
    """A pre-hook may change what goes in, a hook what comes out."""
    plain = net(x)
    with net.conv1.register_forward_pre_hook(lambda module, args: (args[0] * 0,)):
        blind = net(x)
    with net.fc.register_forward_hook(lambda module, args, output: output.softmax(1)):
        shares = net(x)
    print("  without input all rows are alike:", torch.allclose(blind[0], blind[1]))
    print("  shares sum to one:", torch.allclose(shares.sum(1), torch.ones(len(x))))
    print("  and it is as before:", torch.equal(net(x), plain))


def gradients(net, x, y):
    """Backward hooks on modules, tensors and parameters."""
    norms = {}

    def keep(name):
        def hook(module, grad_input, grad_output):
            norms[name] = grad_output[0].norm().item()

        return hook

    handles = [module.register_full_backward_hook(keep(name)) for name, module in net.named_children()]
    handles.append(net.fc.weight.register_hook(lambda grad: grad.clamp(-0.01, 0.01)))
    net.conv1.weight.register_post_accumulate_grad_hook(lambda p: print("  conv1.weight has", tuple(p.grad.shape)))
    F.cross_entropy(net(x), y).backward()
    for name, norm in norms.items():
        print(f"  {name}: norm of the gradient behind it {norm:.4f}")
    print(f"  the largest of fc.weight, clipped by its hook: {net.fc.weight.grad.abs().max().item():.4f}")
    for handle in handles:
        handle.remove()
    net.zero_grad()


def saliency(net, x):
    """Which pixels the first score depends on."""
    picture = x[:1].clone().requires_grad_(True)
    net(picture)[0].max().backward()
    for row in (picture.grad[0, 0].abs() / picture.grad.abs().max()).tolist():
        print("  " + "".join(" .:-=+*#"[int(v * 7.99)] * 2 for v in row))


def class_activation(net, x):
    """Grad-CAM: the last feature maps, weighted with the gradients of a score."""
    kept = {}

    def hook(module, args, output):
        kept["maps"] = output
        output.register_hook(lambda grad: kept.update(grad=grad))

    with net.conv2.register_forward_hook(hook):
        net(x[:1])[0, 0].backward()
    weights = kept["grad"].mean((2, 3), keepdim=True)
    cam = F.relu((weights * kept["maps"].detach()).sum(1))
    cam = F.interpolate(cam[None], size=(8, 8), mode="bilinear", align_corners=False)[0, 0]
    for row in (cam / cam.max()).tolist():
        print("  " + "".join(" .:-=+*#"[int(v * 7.99)] * 2 for v in row))


def filters(net):
    """The first layer's weights, as pictures."""
    weights = net.conv1.weight.detach()
    weights = (weights - weights.min()) / (weights.max() - weights.min())
    for row in range(3):
        print("  " + "  ".join("".join(" .:-=+*#"[int(v * 7.99)] * 2 for v in w[0, row].tolist()) for w in weights))


def main():
    torch.manual_seed(0)
    net, x, y = Net(), torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 2, 0])
    print("activations")
    statistics(net, x)
    print("changed on the way")
    changing(net, x)
    print("gradients")
    gradients(net, x, y)
    print("which pixels count")
    saliency(net, x)
    print("where the last convolution saw it")
    class_activation(net, x)
    print("filters")
    filters(net)


if __name__ == "__main__":
    main()
