"""The names of torch's and torchvision's public modules: `python -m tests.compat.modules` writes compat/modules.txt."""

import importlib.util
from pathlib import Path

from jtorch.compat import names

FILE = Path(names.__file__).with_name("modules.txt")


def public(root):
    """The public modules of an installed package, from its files."""
    base = Path(importlib.util.find_spec(root).origin).parent
    for file in base.rglob("*.py"):
        folders = file.relative_to(base).parts[:-1]
        parts = folders if file.stem == "__init__" else (*folders, file.stem)
        packages = all((base.joinpath(*folders[: i + 1]) / "__init__.py").exists() for i in range(len(folders)))
        if packages and not any(part.startswith("_") for part in parts):
            yield ".".join((root, *parts))


def listed():
    """The text of modules.txt."""
    return "\n".join(sorted(name for root in names.ROOTS for name in public(root))) + "\n"


if __name__ == "__main__":
    FILE.write_text(listed())
