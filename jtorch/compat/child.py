"""The main module of a process that a running script spawned: the script's definitions, with torch meaning jtorch."""

from jtorch.compat.script import child_code

exec(child_code())
