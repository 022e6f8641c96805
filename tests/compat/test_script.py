"""`python -m jtorch run`: a program sees what it would see under Python."""

import subprocess
import sys
from textwrap import dedent


def run(*arguments, cwd):
    """A finished `python -m jtorch …` process."""
    return subprocess.run([sys.executable, "-m", "jtorch", *arguments], cwd=cwd, capture_output=True, text=True)


def test_a_script_with_arguments_neighbours_and_a_spawned_process(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "neighbour.py").write_text("import torch\nTWO = torch.ones(2).sum()\n")
    (tmp_path / "lib" / "main.py").write_text(
        dedent(
            """
            import multiprocessing, sys
            import torch
            from neighbour import TWO

            class Item:
                value = 3

            def work(queue, item):
                queue.put((float(torch.ones(item.value).sum()), sys.argv[1:]))

            if __name__ == "__main__":
                context = multiprocessing.get_context("spawn")
                queue = context.Queue()
                process = context.Process(target=work, args=(queue, Item()))
                process.start()
                ours = "jtorch" in torch.__file__
                print(torch.__name__, ours, TWO.item(), sys.argv[1:], queue.get(timeout=60), __package__)
                process.join()
                sys.exit(5)
            """
        )
    )
    done = run("run", "lib/main.py", "--epochs", "2", cwd=tmp_path)
    assert done.stdout == "torch True 2.0 ['--epochs', '2'] (3.0, ['--epochs', '2']) None\n", done.stderr
    assert done.returncode == 5


def test_a_module_with_relative_imports(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("import torch\nNAME = torch.__name__, 'jtorch' in torch.__file__\n")
    (package / "__main__.py").write_text("import sys\nfrom .part import NAME\nprint(NAME, __name__, sys.argv[1:])\n")
    done = run("run", "-m", "package", "-x", cwd=tmp_path)
    assert done.stdout == "('torch', True) __main__ ['-x']\n", done.stderr


def test_an_error_is_shown_at_the_scripts_line(tmp_path):
    (tmp_path / "main.py").write_text("import torch\n\ntorch.ones(2) @ torch.ones(3)\n")
    done = run("run", "main.py", cwd=tmp_path)
    assert done.returncode == 1
    begin, first, *_ = done.stderr.splitlines()
    assert begin == "Traceback (most recent call last):" and 'main.py", line 3, in <module>' in first
    assert "RuntimeError: inconsistent tensor size" in done.stderr


def test_no_such_program(tmp_path):
    assert "No such file" in run("run", "main.py", cwd=tmp_path).stderr
    assert "No module named absent" in run("run", "-m", "absent", cwd=tmp_path).stderr
