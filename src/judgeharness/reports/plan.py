"""The plan of an evaluation as a table: what will be asked, and what is already in the store."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from judgeharness.evaluation.plan import Step
from judgeharness.reports.text import plain


def render(steps: Sequence[Step]) -> Table | None:
    """Show a row for each step that asks a model. Returns None if there is no such step."""
    asked = [step for step in steps if step.plan is not None]
    if not asked:
        return None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("to do", overflow="fold")
    writes = any(step.plan is not None and step.plan.n_written_tokens for step in asked)
    for name in ("items", "in store", "prompts", "tokens", "unique", *(["to write"] if writes else [])):
        table.add_column(name, justify="right", no_wrap=True)
    for step in asked:
        table.add_row(*_cells(step, writes))
    return table


def _cells(step: Step, writes: bool) -> list[Text]:
    plan = step.plan
    if plan is None:
        return []
    items, missing = len(step.task.items), len(plan.missing) + plan.waiting
    about = "" if plan.exact else "~"
    cells = (
        step.name,
        f"{items:,}",
        f"{items - missing:,}",
        f"{plan.n_missing_prompts:,}",
        f"{about}{plan.tokens.total:,}",
        f"{about}{plan.tokens.unique:,}",
        *([f"up to {plan.n_written_tokens:,}" if plan.n_written_tokens else "none"] if writes else []),
    )
    return [plain(cell) for cell in cells]
