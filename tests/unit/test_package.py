"""What holds for the package as a whole: documented, small, and its examples run."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from numpydoc.docscrape import NumpyDocString

import trainable_spikes as ts

FOLDER = Path(ts.__file__).parent
MODULES = ["trainable_spikes"] + [
    f"trainable_spikes.{module.name}" for module in pkgutil.iter_modules([str(FOLDER)])
]


def public_callables() -> dict[str, object]:
    """Public names, and the public methods of public classes."""
    found = {name: getattr(ts, name) for name in ts.__all__}
    for name in ts.__all__:
        if inspect.isclass(found[name]):
            for method, value in vars(found[name]).items():
                if not method.startswith("_") and inspect.isfunction(value):
                    found[f"{name}.{method}"] = value
    return found


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_do_what_they_show(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_modules_with_public_names_show_examples() -> None:
    shown = [
        example
        for name in MODULES
        for test in doctest.DocTestFinder().find(importlib.import_module(name))
        for example in test.examples
    ]
    assert len(shown) > 20


@pytest.mark.parametrize("name", ts.__all__)
def test_public_name_has_its_parameters_and_result_documented(name: str) -> None:
    value = getattr(ts, name)
    text = inspect.getdoc(value)
    assert text
    documented = NumpyDocString(text)
    assert documented["Summary"]
    # The metaclass of brainstate modules hides the signature of the class itself.
    hidden = inspect.isclass(value) and "__init__" in vars(value)
    function = value.__init__ if hidden else value
    parameters = [
        {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "") + parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
    ]
    described = [
        one
        for section in ("Parameters", "Attributes")
        for row in documented[section]
        for one in row.name.split(", ")
    ]
    if inspect.isfunction(value):
        assert documented["Returns"]
        assert sorted(parameters) == sorted(described)
    else:
        assert set(parameters) <= set(described)


def test_every_public_method_says_what_it_does() -> None:
    assert not [name for name, value in public_callables().items() if not inspect.getdoc(value)]


def documented_errors(node: ast.AST) -> set[str]:
    rows = NumpyDocString(ast.get_docstring(node) or "Nothing.")["Raises"]
    return {error for row in rows for error in row.type.split(", ")}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_errors_that_a_function_raises_are_in_its_docstring(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        body = [node]
        if isinstance(node, ast.ClassDef):  # what its construction raises is documented there
            construction = ("__init__", "__post_init__")
            body = [part for part in node.body if getattr(part, "name", "") in construction]
        raised = {
            inner.exc.func.id
            for part in body
            for inner in ast.walk(part)
            if isinstance(inner, ast.Raise) and isinstance(inner.exc, ast.Call)
        }
        assert raised <= documented_errors(node), node.name


def test_everything_public_is_listed_once_in_order() -> None:
    assert ts.__all__ == sorted(ts.__all__)
    imported = {name for name in dir(ts) if not name.startswith("_")} - {"TYPE_CHECKING"}
    modules = {name for name, value in vars(ts).items() if inspect.ismodule(value)}
    assert imported - modules == set(ts.__all__)


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["plotting", "events"])
def test_modules_that_not_everyone_needs_are_not_imported(name: str) -> None:
    run(f"import sys, trainable_spikes; assert 'trainable_spikes.{name}' not in sys.modules")


def test_import_works_without_matplotlib() -> None:
    # braintools imports it, so that it is taken away from what comes after.
    run(
        "import sys, brainpy.state, braintools\n"
        "loaded = [name for name in sys.modules if name.partition('.')[0] == 'matplotlib']\n"
        "sys.modules.update(dict.fromkeys(['matplotlib', *loaded]))\n"
        "import trainable_spikes as ts\n"
        "assert 'plot_scores' in dir(ts)\n"
        "try:\n"
        "    ts.plot_scores\n"
        "except ModuleNotFoundError as error:\n"
        "    assert error.name.partition('.')[0] == 'matplotlib'\n"
        "else:\n"
        "    raise AssertionError('nothing was taken away')\n"
    )


@pytest.mark.parametrize("name", ["plot_scores", "plotting"])
def test_plotting_is_imported_when_it_is_asked_for(name: str) -> None:
    run(
        f"import sys, trainable_spikes as ts; ts.{name}\n"
        "assert ts.plotting is sys.modules['trainable_spikes.plotting']\n"
        "assert ts.plot_scores is ts.plotting.plot_scores\n"
    )


def test_init_says_of_every_public_name_where_it_is_defined() -> None:
    # The build of the site reads there which modules a page uses.
    tree = ast.parse((FOLDER / "__init__.py").read_text())
    origins = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "typing"
        for alias in node.names
    }
    assert origins == {name: getattr(ts, name).__module__ for name in ts.__all__}


def test_the_version_is_written_once() -> None:
    project = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text())["project"]
    assert ts.__version__ == project["version"]
    assert "__version__" in dir(ts)
    assert not [path.name for path in FOLDER.glob("*.py") if project["version"] in path.read_text()]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'gone'"):
        _ = ts.gone


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_descriptions_of_parameters_stand_below_their_types(path: Path) -> None:
    docstrings = [
        ast.get_docstring(node) or ""
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    for text in docstrings:
        documented = NumpyDocString(text)
        for section in ("Parameters", "Attributes", "Returns"):
            assert not [row for row in documented[section] if not row.type or not row.desc], text
        for row in documented["Raises"]:
            assert row.desc, text


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_arguments_with_a_default_say_so(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        signature = node
        if isinstance(node, ast.ClassDef):
            inits = [part for part in node.body if getattr(part, "name", "") == "__init__"]
            if not inits:
                continue
            signature = inits[0]
        arguments = signature.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
        pairs = [
            *zip(positional, defaults, strict=True),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        with_default = {argument.arg for argument, default in pairs if default is not None}
        for row in NumpyDocString(ast.get_docstring(node) or "")["Parameters"]:
            says = "default" in row.type or "optional" in row.type
            assert says == (row.name in with_default), f"{node.name}: {row.name}"


def test_package_stays_small() -> None:
    assert len(ts.__all__) <= 40
    lines = {path.name: len(path.read_text().splitlines()) for path in FOLDER.glob("*.py")}
    assert sum(lines.values()) <= 3000


def test_package_is_marked_as_typed() -> None:
    assert (FOLDER / "py.typed").is_file()
