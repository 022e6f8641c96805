"""Programs that say `import torch` and get jtorch, with no edit: activate, run, check."""

from jtorch.compat.finder import activate, deactivate, is_active

__all__ = ["activate", "deactivate", "is_active"]
