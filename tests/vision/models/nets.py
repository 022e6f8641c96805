"""Small nets of every architecture, made of torchvision's classes, for values, gradients and draws."""

import sys
from functools import partial


def resnet(torch, m):
    return m.resnet.ResNet(m.resnet.BasicBlock, [1, 1, 1, 1], num_classes=5, zero_init_residual=True)


def resnext(torch, m):
    Bottleneck, dilate = m.resnet.Bottleneck, [False, True, True]
    options = {"groups": 4, "width_per_group": 4, "replace_stride_with_dilation": dilate}
    return m.resnet.ResNet(Bottleneck, [1, 1, 1, 1], num_classes=5, **options)


def _light(torch, make, width):
    """A net with a small head, drawn without its large one."""
    with torch.device("meta"):
        net = make()
    net.classifier = torch.nn.Linear(width, 5)
    net.to_empty(device="cpu")
    for module in net.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return net


def vgg(torch, m):
    layers = partial(m.vgg.make_layers, [8, "M", 16, "M"], batch_norm=True)
    return _light(torch, lambda: m.vgg.VGG(layers(), init_weights=False), 16 * 49)


def alexnet(torch, m):
    return _light(torch, m.alexnet, 256 * 36)


def squeezenet(torch, m):
    return m.squeezenet1_1(num_classes=5)


def densenet(torch, m):
    return m.densenet.DenseNet(8, (2, 3), 16, drop_rate=0.2, num_classes=5)


def mobilenet_v2(torch, m):
    setting = [[1, 16, 1, 1], [6, 24, 2, 2]]
    return m.mobilenetv2.MobileNetV2(5, 0.5, setting)


def mobilenet_v3(torch, m):
    config = partial(m.mobilenetv3.InvertedResidualConfig, width_mult=1.0)
    setting = [config(16, 3, 16, 16, True, "RE", 1, 1), config(16, 5, 72, 24, True, "HS", 2, 2)]
    return m.mobilenetv3.MobileNetV3(setting, 32, num_classes=5)


def efficientnet(torch, m):
    e = m.efficientnet
    setting = [e.FusedMBConvConfig(1, 3, 1, 8, 8, 1), e.FusedMBConvConfig(4, 3, 2, 8, 16, 2)]
    setting.append(e.MBConvConfig(4, 3, 1, 16, 16, 2))
    return e.EfficientNet(setting, 0.2, 0.5, num_classes=5, last_channel=32)


def shufflenet(torch, m):
    return m.shufflenetv2.ShuffleNetV2([1, 2, 1], [8, 16, 32, 64, 32], num_classes=5)


def convnext(torch, m):
    c = m.convnext
    return c.ConvNeXt([c.CNBlockConfig(8, 16, 1), c.CNBlockConfig(16, None, 2)], 0.5, 0.5, num_classes=5)


def vit(torch, m):
    net = m.vision_transformer.VisionTransformer(32, 8, 2, 2, 16, 24, 0.1, num_classes=5, representation_size=8)
    torch.nn.init.normal_(net.heads.head.weight)  # it begins with zeros, which would hide all before it
    return net


def vit_with_a_stem(torch, m):
    stem = [m.vision_transformer.ConvStemConfig(8, 3, 2), m.vision_transformer.ConvStemConfig(8, 3, 4)]
    net = m.vision_transformer.VisionTransformer(32, 8, 1, 2, 16, 24, num_classes=5, conv_stem_configs=stem)
    torch.nn.init.normal_(net.heads.head.weight)
    return net


def swin(torch, m):
    return m.swin_transformer.SwinTransformer([4, 4], 8, [2, 1], [2, 4], [3, 3], 2.0, 0.1, num_classes=5)


def swin_v2(torch, m):
    s = m.swin_transformer
    second = {"block": s.SwinTransformerBlockV2, "downsample_layer": s.PatchMergingV2}
    return s.SwinTransformer([4, 4], 8, [2, 1], [2, 4], [3, 3], 2.0, num_classes=5, **second)


def googlenet(torch, m):
    """GoogLeNet's wiring with cheap parts."""

    class Part(torch.nn.Sequential):
        def __init__(self, width, one, _, three, __, five, pool):
            super().__init__(torch.nn.Conv2d(width, one + three + five + pool, 1))

    blocks = [torch.nn.Conv2d, Part, _head(torch)]
    return m.GoogLeNet(5, transform_input=True, init_weights=False, blocks=blocks)


def inception(torch, m):
    """Inception v3's wiring with cheap parts."""

    def part(more):
        return lambda width, **options: torch.nn.Conv2d(width, more(width, **options), 1, stride=1)

    blocks = [
        torch.nn.Conv2d, part(lambda width, pool_features: 224 + pool_features), part(lambda width: 768),
        part(lambda width, channels_7x7: 768), part(lambda width: 1280), part(lambda width: 2048), _head(torch),
    ]  # fmt: skip
    return m.inception.Inception3(5, inception_blocks=blocks, transform_input=True, init_weights=False)


def _head(torch):
    class Head(torch.nn.Module):
        def __init__(self, width, classes, dropout=0.0):
            super().__init__()
            self.drop, self.fc = torch.nn.Dropout(dropout), torch.nn.Linear(width, classes)

        def forward(self, x):
            return self.fc(self.drop(x.mean((2, 3))))

    return Head


def googlenet_parts(torch, m):
    parts = sys.modules[m.__name__ + ".googlenet"]
    return torch.nn.Sequential(parts.Inception(3, 8, 4, 8, 4, 8, 8), parts.InceptionAux(32, 5))


def inception_parts(torch, m):
    i = m.inception
    return torch.nn.Sequential(
        i.InceptionA(3, 4), i.InceptionB(228), i.InceptionC(708, 8), i.InceptionD(768), i.InceptionE(1280)
    )  # fmt: skip


NETS = {
    f.__name__: f
    for f in (
        alexnet, convnext, densenet, efficientnet, googlenet, googlenet_parts, inception, inception_parts,
        mobilenet_v2, mobilenet_v3, resnet, resnext,
        shufflenet, squeezenet, swin, swin_v2, vgg, vit, vit_with_a_stem,
    )
}  # fmt: skip
SIZES = {"alexnet": 63, "inception": 96, "inception_parts": 16}
# What differs in evaluation is tested with these; the others would only be compiled twice.
QUIET = ("densenet", "efficientnet", "googlenet", "inception", "inception_parts", "vit")
