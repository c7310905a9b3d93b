"""The wheel as it is built: code, tasks and templates, and no data of others."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_wheel_holds_the_tasks_and_no_published_data(tmp_path):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as zipped:
        names = set(zipped.namelist())
        text = b"".join(zipped.read(name) for name in names if name.endswith((".jsonl", ".json")))
    shipped = {str(path.relative_to(ROOT / "tasks")) for path in (ROOT / "tasks").rglob("*") if path.is_file()}
    assert {f"judgeharness/shipped_tasks/{name}" for name in shipped} <= names
    assert "judgeharness/py.typed" in names
    assert not any("chaosNLI_" in name or "varierr.json" in name for name in names)
    assert b"label_counter" not in text
