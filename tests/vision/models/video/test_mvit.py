"""MViT: torchvision's modules, state dicts, weights, draws from a seed and results."""

import inspect

import numpy as np
import pytest

import jtorch
from tests.vision.reference import SIDES, close, pixels, plain, same, torchvision

ours = jtorch.vision.models.video


@pytest.mark.parametrize("name", ["mvit_v1_b", "mvit_v2_s"])
def test_modules_and_state_dict(name):
    def on_meta(module, vision):
        with module.device("meta"):
            net = getattr(vision.models.video, name)()
        return repr(net), [(key, tuple(value.shape), str(value.dtype)) for key, value in net.state_dict().items()]

    theirs, mine = (on_meta(*side) for side in SIDES)
    assert mine == theirs
    assert name in jtorch.vision.models.list_models(module=ours)
    signatures = [inspect.signature(getattr(m, name)) for m in (torchvision.models.video, ours)]
    assert [[(p.name, p.kind, p.default) for p in s.parameters.values()] for s in signatures] == [
        [(p.name, p.kind, p.default) for p in signatures[0].parameters.values()]
    ] * 2


@pytest.mark.parametrize("name", ["MViT_V1_B_Weights", "MViT_V2_S_Weights"])
def test_weights(name):
    def facts(vision):
        best = getattr(vision.models.video, name).DEFAULT
        meta = {key: value for key, value in best.meta.items() if key != "_docs"}
        return best.url, meta, repr(best.transforms()), repr(best)

    assert facts(jtorch.vision) == facts(torchvision)


def net(module, vision, **options):
    """Two blocks, the second of which halves height and width."""
    video = vision.models.video
    config = (jtorch.vision.models.video._multiscale if module is jtorch else video.mvit).MSBlockConfig
    stride = [1, 1, 1] if options.get("rel_pos_embed") else []
    blocks = [
        config(1, 8, 16, [3, 3, 3] if stride else [], [3, 3, 3], stride, [1, 2, 2]),
        config(2, 16, 16, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 1, 1]),
    ]
    if options.get("proj_after_attn"):
        blocks[0].input_channels, blocks[1].input_channels = 8, 16
    return video.MViT((16, 16), 4, blocks, num_classes=3, **options)


OLD = {"residual_pool": False, "residual_with_cls_embed": True, "rel_pos_embed": False, "proj_after_attn": False}
NEW = {"residual_pool": True, "residual_with_cls_embed": False, "rel_pos_embed": True, "proj_after_attn": True}


@pytest.mark.parametrize("options", [OLD, NEW, {**NEW, "residual_with_cls_embed": True}], ids=["v1", "v2", "token"])
def test_draws_and_results(options):
    clips = pixels((2, 3, 4, 16, 16), dtype=np.float32)

    def seen(module, vision):
        module.manual_seed(3)
        made = net(module, vision, **options).eval()
        out = made(module.from_numpy(clips.copy()))
        out.pow(2).sum().backward()
        weights = {key: value.detach().clone() for key, value in made.state_dict().items()}
        return plain(weights), plain(out), plain([made.conv_proj.weight.grad, made.blocks[1].attn.qkv.weight.grad])

    theirs, mine = (seen(*side) for side in SIDES)
    close("weights", theirs[0], mine[0], atol=1e-5, rtol=1e-4)
    close("evaluation", theirs[1], mine[1], atol=1e-5)
    scale = max(float(np.abs(x).max()) for x in theirs[2])
    close("gradients", [x / scale for x in theirs[2]], [x / scale for x in mine[2]], atol=1e-4)


def test_errors_and_images():
    same(lambda torch, vision: vision.models.video.MViT((8, 8), 4, [], **OLD))
    frames = pixels((2, 3, 3, 12, 10), dtype=np.float32)

    def prepared(torch, vision):
        preset = vision.transforms._presets.VideoClassification(crop_size=(6, 8), resize_size=(9,))
        return preset(torch.from_numpy(frames)), preset(torch.from_numpy(frames[0])), repr(preset)

    same(prepared, atol=1e-5)
