"""The import hook, in processes of their own: this one has PyTorch."""

import importlib
import subprocess
import sys
from textwrap import dedent

import pytest

import jtorch
from jtorch import compat


def python(source):
    """What a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", dedent(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_torch_is_jtorch_until_it_is_turned_off():
    assert (
        python(
            """
        import importlib.metadata, sys
        import jtorch
        from jtorch import compat
        with compat.activate():
            import torch, torch.nn as nn, torch.nn.functional as F
            import torch.accelerator
            from torch.optim.lr_scheduler import StepLR
            assert torch is jtorch and nn is jtorch.nn and F is jtorch.nn.functional and compat.is_active()
            assert StepLR is jtorch.optim.lr_scheduler.StepLR
            assert torch.__spec__.name == "jtorch" and torch.__name__ == "torch" and F.__name__ == "torch.nn.functional"
            assert importlib.metadata.version("torch") == torch.__version__
            import safetensors.torch, tempfile
            with tempfile.NamedTemporaryFile() as file:
                safetensors.torch.save_model(nn.Embedding.from_pretrained(torch.eye(2)), file.name, {"made": "here"})
                assert torch.equal(safetensors.torch.load_file(file.name)["weight"], torch.eye(2))
                with safetensors.safe_open(file.name, framework="pt") as opened:
                    assert opened.metadata() == {"made": "here"}
                    assert torch.equal(opened.get_slice("weight")[1:], torch.tensor([[0.0, 1.0]]))
        assert not compat.is_active() and not [m for m in sys.modules if m.split(".")[0] == "torch"]
        assert jtorch.__name__ == "jtorch" and jtorch.nn.functional.__name__ == "jtorch.nn.functional"
        assert not hasattr(jtorch.accelerator, "__path__") and "__getattr__" not in vars(jtorch)
        print("done")
        """
        )
        == "done\n"
    )


def test_what_jtorch_lacks_is_named_when_it_is_used():
    assert python(
        """
        from jtorch import compat
        compat.activate()
        import torch
        from torch.onnx import export
        from torch import lerpp

        class Mine(export):
            pass

        print(hasattr(torch, "lerpp"), isinstance(3, export), export.__name__, issubclass(Mine, export))
        uses = [lambda: export(1), Mine, lambda: torch.lerpp, lambda: export.to_file, lambda: torch.onnx.errors.x()]
        for use in uses:
            try:
                use()
            except (NotImplementedError, AttributeError) as error:
                print(type(error).__name__, error)
        print(torch.distributed.rpc.is_available(), hasattr(torch.distributed.rpc, "api"))
        print(torch.onnx.is_in_onnx_export())
        try:
            import torch.nn.functionals
        except ModuleNotFoundError as error:
            print(error)
        """
    ).splitlines() == [
        "False False export True",
        "NotImplementedError jtorch does not have torch.onnx.export",
        "NotImplementedError jtorch does not have torch.onnx.export",
        "AttributeError module 'torch' has no attribute 'lerpp': jtorch does not have torch.lerpp; the closest that it "
        "has is torch.lerp",
        "AttributeError jtorch does not have torch.onnx.export.to_file",
        "NotImplementedError jtorch does not have torch.onnx.errors.x",
        "False False",
        "False",
        "No module named 'torch.nn.functionals'",
    ]


def test_pytorch_and_the_hook_exclude_each_other():
    with pytest.raises(RuntimeError, match="torch is imported already"):
        compat.activate()


def test_some_modules_alone(tmp_path, monkeypatch):
    (tmp_path / "ported").mkdir()
    (tmp_path / "ported" / "__init__.py").write_text("import torch\nimport torch.nn as nn\nfrom torch.optim import SGD")
    (tmp_path / "portedby.py").write_text("import torch")
    monkeypatch.syspath_prepend(str(tmp_path))
    with compat.activate(scope="ported"):
        ported, neighbour = importlib.import_module("ported"), importlib.import_module("portedby")
    assert ported.torch is jtorch and ported.nn is jtorch.nn and ported.SGD is jtorch.optim.SGD
    assert neighbour.torch is sys.modules["torch"] is not jtorch
    assert importlib.reload(ported).torch is sys.modules["torch"]
