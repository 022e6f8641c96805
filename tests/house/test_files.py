"""The rules of the house that can be read off the source files."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINE_CAP = 500
FUNCTION_CAP = 40
SHOUTS = ("TO" + "DO", "FIX" + "ME", "XX" + "X")


@cache
def sources(*folders):
    """{path from the root: syntax tree} of every Python file under the folders."""
    files = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in files}


def everything():
    return sources("jtorch", "tests", "bench", "examples")


def functions(tree):
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def imports(tree):
    """(line, dotted module, names taken from it or None) of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or ""), [alias.name for alias in node.names]


def body_lines(function):
    """Lines of a function without its signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_there_are_files_to_look_at():
    assert {"jtorch/__init__.py", "jtorch/ops/op.py"} <= everything().keys()


def test_a_file_opens_with_one_sentence():
    silent = [name for name, tree in everything().items() if tree.body and not ast.get_docstring(tree)]
    assert silent == []


def test_no_file_is_longer_than_the_cap():
    long = {name: n for name in everything() if (n := len((ROOT / name).read_text().splitlines())) > LINE_CAP}
    assert long == {}


def test_no_function_of_the_package_is_longer_than_the_cap():
    long = {
        f"{name}:{function.lineno} {function.name}": body_lines(function)
        for name, tree in sources("jtorch").items()
        for function in functions(tree)
        if body_lines(function) > FUNCTION_CAP
    }
    assert long == {}


def test_imports_stand_at_the_top():
    """Not in functions, nor in a try or an if: jtorch/optional.py is there for packages that may be missing."""
    hidden = {
        f"{name}:{inner.lineno}"
        for name, tree in everything().items()
        for statement in tree.body
        for inner in ast.walk(statement)
        if isinstance(inner, (ast.Import, ast.ImportFrom)) and inner is not statement
    }
    assert hidden == set()


def test_the_package_never_imports_torch():
    foreign = [
        f"{name}:{line} {module}"
        for name, tree in sources("jtorch").items()
        for line, module, _ in imports(tree)
        if module.split(".")[0] in ("torch", "torchvision", "torchax", "functorch")
    ]
    assert foreign == []


def test_no_floor_imports_the_roof():
    """`from jtorch import dtypes` takes a module; `import jtorch` or a name of its __init__ would close a circle."""
    package = ROOT / "jtorch"
    modules = {path.stem for path in package.glob("*.py")} | {path.name for path in package.iterdir() if path.is_dir()}
    upward = [
        f"{name}:{line}"
        for name, tree in sources("jtorch").items()
        if name not in ("jtorch/__init__.py", "jtorch/__main__.py")
        for line, module, names in imports(tree)
        if module == "jtorch" and (names is None or not set(names) <= modules)
    ]
    assert upward == []


def test_only_the_public_api_of_jax_is_used():
    private = [
        f"{name}:{line} {module} {names or ''}"
        for name, tree in everything().items()
        for line, module, names in imports(tree)
        if module.split(".")[0] in ("jax", "jaxlib", "optax")
        and any(part.startswith("_") for part in [*module.split("."), *(names or [])])
    ]
    private += [
        f"{name}:{node.lineno} {ast.unparse(node)}"
        for name, tree in everything().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and _is_private(ast.unparse(node))
    ]
    assert private == []


def _is_private(dotted):
    root, *parts = dotted.split(".")
    return root in ("jax", "jnp", "lax", "optax", "jaxlib") and any(
        part.startswith("_") and not part.startswith("__") for part in parts
    )


def test_nothing_is_left_for_later():
    marks = [
        f"{name}:{number}"
        for name in everything()
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if any(shout in line for shout in SHOUTS)
    ]
    assert marks == []


def test_no_path_of_one_machine_is_written_down():
    homes = ("/" + "home/", "/" + "root/", "/" + "work/")
    paths = [name for name in everything() if any(home in (ROOT / name).read_text() for home in homes)]
    assert paths == []
