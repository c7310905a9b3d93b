"""A store with real scores of a small model on items whose texts are out to break a page."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers import judgeharness

ROOT = Path(__file__).parents[3]
NASTY = '<script>document.title = "broken"</script> "quoted" & \'single\' </script><img src=x onerror="alert(1)">'
LABELS = ("entailment", "neutral", "contradiction")


@dataclass(frozen=True)
class Made:
    """task: the task's file. store: with runs of hf:smollm2 and baselines. runs: as the program lists them."""

    task: Path
    store: Path
    runs: list[dict]

    def run(self, strategy, transform="softmax"):
        return next(run["id"] for run in self.runs if (run["strategy"], run["transform"]) == (strategy, transform))


def items(count):
    for place in range(count):
        yield {
            "uid": f"item <b>{place}</b>" if place == 1 else f"item {place}",
            "genre": "everyday",
            "premise": NASTY if place == 0 else f"Shop {place} sold bread until {place} o'clock.",
            "hypothesis": f"At shop {place} there was bread.",
            "votes": [(7 * place) % 10 + 1, (3 * place) % 7, (5 * place) % 11],
            "explanations": [
                {
                    "annotator": 1,
                    "label": "entailment",
                    "text": f"Sold means there was some. {NASTY if place == 0 else ''}",
                },
                {"annotator": 2, "label": "neutral", "text": "It does not say when."},
            ],
        }


def write_task(folder, count, name="nasty"):
    shipped = (ROOT / "tasks" / "nli-sample" / "task.toml").read_text(encoding="utf-8")
    task = folder / f"{name}.toml"
    task.write_text(shipped.replace('"nli-sample"', f'"{name}"').replace("items.jsonl", f"{name}.jsonl"))
    lines = [json.dumps(item) for item in items(count)]
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return task


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    task, store = write_task(folder, 12), folder / "s.db"
    found = []
    for words in (
        (
            "--backend",
            "hf:smollm2",
            "-o",
            "device=cpu",
            "--strategy",
            "no-explanation",
            "--strategy",
            "serial-explicit",
        ),
        ("--backend", "baseline:uniform", "--backend", "baseline:explanations"),
    ):
        result = judgeharness("eval", "--task", task, *words, "--store", store, "--format", "json")
        assert result.code == 0, result.err
        found += json.loads(result.out)["runs"]
    return Made(task, store, found)


@pytest.fixture
def made(made_once, tmp_path):
    """The same, in a folder of its own."""
    for path in made_once.task.parent.iterdir():
        shutil.copy(path, tmp_path)
    return Made(tmp_path / made_once.task.name, tmp_path / "s.db", made_once.runs)
