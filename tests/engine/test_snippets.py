"""Cells pasted without what the build adds to them give what the page shows, or are named."""

import asyncio
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from paste_pages import differences, of_the_day, paste
from run.kernel import kernel_environment, prepare, run_page
from run.page import is_pasted, parse_page

FRONT_MATTER = (
    "title: Title\ngives: Two.\nneeds: Nothing.\ndescription: Adds.\nkind: howto\nbudget: 30\n"
)
PAGE = f"""---
{FRONT_MATTER}---
# Title

```{{code-cell}} python
import inspect

import matplotlib.pyplot as plt
import numpy as np


def draw():
    generator = np.random.default_rng(0)

    return generator.random()


print(inspect.getsource(draw))
```

```{{code-cell}} python
:tags: [measure]

from measuring import measure

number = draw()
measure("number", number)
```

```{{code-cell}} python
print("before", np.random.random() < 2)
draw() < 1
```

```{{code-cell}} python
# its layout moves a little with every drawing, and a build draws more often than a reader
fig, axes = plt.subplots(1, 2, figsize=(8, 3.3), layout="constrained")
for ax in axes:
    ax.set_yticks([0, 1], ["a", "a longer name"])
    ax.set(title="title", xlabel="x", xlim=(0, 102))
plt.show()
```

```{{code-cell}} python
:tags: [raises-exception]

raise ValueError("an error that the page is about")
```

```{{code-cell}} python
import time

print("took", time.perf_counter(), "s")
```
"""


@pytest.fixture(scope="module")
def differ(tmp_path_factory):
    """Run a page as a build does, paste it into this interpreter, and compare."""
    folder = tmp_path_factory.mktemp("pasted")
    environment = kernel_environment(Path(__file__).parents[2], folder)
    prepare(environment)
    count = iter(range(100))

    def differ(*edits):
        text = PAGE
        for old, new in edits:
            assert old in text
            text = text.replace(old, new, 1)
        page = parse_page("howto/page", text)
        run = asyncio.run(run_page(page, folder, environment, folder / f"s{next(count)}"))
        assert not run.problems, run.problems
        sources = [cell.source for cell in page.cells if is_pasted(cell.tags)]
        return differences(page, run.notebook, paste(sys.executable, page, sources))

    return differ


def test_text_figures_errors_and_the_words_around_times_are_as_shown(differ):
    assert differ() == []


def test_name_of_a_cell_that_only_a_build_runs_is_missed(differ):
    (found,) = differ(("draw() < 1", "number < 1"))
    assert "docs/howto/page.md:36 gives something else when pasted" in found
    assert "NameError: name 'number' is not defined" in found


def test_random_state_that_a_hidden_cell_leaves_is_missed(differ):
    (found,) = differ(
        ("number = draw()", "number = draw()\nnp.random.seed(0)"),
        ("np.random.random() < 2", "np.random.random()"),
    )
    assert "text is\n    before 0." in found


def test_figure_that_a_hidden_cell_changes_is_noticed(differ):
    (found,) = differ(("number = draw()", "number = draw()\nplt.rcParams['axes.linewidth'] = 9"))
    assert "figure 1 differs in" in found


def test_warning_that_only_a_reader_sees_is_noticed(differ):
    warns = (
        "import os, warnings\n\nif os.environ['MPLBACKEND'] == 'agg':\n    warnings.warn('stray')"
    )
    (found,) = differ(("draw() < 1", warns))
    assert "stray" in found


def test_every_day_has_other_pages_until_all_have_had_their_turn():
    names = [f"page {n}" for n in range(12)]
    days = [date(2030, 1, 1) + timedelta(days=n) for n in range(6)]
    chosen = [of_the_day(names, 2, day) for day in days]
    assert sorted(name for pair in chosen for name in pair) == sorted(names)
    assert of_the_day(names[:1], 2, days[0]) == names[:1]
