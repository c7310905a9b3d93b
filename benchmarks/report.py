"""How large the page of a report is, and how quick in a browser.

    python benchmarks/report.py [--task chaosnli-mnli] [--judges 5]      (Chromium, and JUDGEHARNESS_DATA_DIR)

Real items and judges that answer at once with random scores in float32, each under two transforms. First paint: from
opening the file to the first content, with the processor as it is. Choosing: the mean and the longest of 50 items, from
the call to the next frame, with every panel drawn.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

INSTANT = Path(__file__).with_name("instant_backend.py")
CHOOSE = """async () => {
    const spent = [];
    for (let item = 0; item < 50; item += 1) {
        const begun = performance.now();
        JudgeHarness.choose(item * 7);
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        spent.push(performance.now() - begun);
    }
    return [spent.reduce((sum, each) => sum + each) / spent.length, Math.max(...spent)];
}"""


def judgeharness(*words: str) -> None:
    """Run the program."""
    command = [sys.executable, "-m", "judgeharness", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def write(folder: Path, task: str, judges: int) -> Path:
    """The page of a store of random judges."""
    names = [word for judge in range(judges) for word in ("--backend", f"instant:{chr(97 + judge)}")]
    common = ("--plugin", str(INSTANT), "eval", "--task", task, "--store", str(folder / "s.db"))
    judgeharness(*common, *names, "--strategy", "no-explanation")
    out = folder / "report.html"
    judgeharness("report", "-o", str(out), "--store", str(folder / "s.db"))
    return out


def main() -> None:
    """Write the page, open it, and say what it took."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--task", default="chaosnli-mnli")
    arguments.add_argument("--judges", type=int, default=5)
    arguments.add_argument("--keep", type=Path, help="where the page is to stay")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as work, sync_playwright() as driver:
        out = write(Path(work), given.task, given.judges)
        if given.keep:
            shutil.copy(out, given.keep)
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(out.as_uri())
        page.wait_for_selector("#items-list tbody tr")
        items = page.evaluate("JudgeHarness.subjects[0].uids.length")
        panels = page.locator(".panel").count()
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        ready = page.evaluate("performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart")
        print(f"{items:,} items, {panels - 1} runs: {out.stat().st_size / 1e6:.1f} MB")
        print(f"first paint {paint:.0f} ms, ready {ready:.0f} ms")
        for shape in ("density", "points"):
            page.locator("#points-as").select_option(shape)
            for place in range(panels):
                page.locator(".panel").nth(place).scroll_into_view_if_needed()
                page.locator(".panel").nth(place).locator(".main-svg").first.wait_for()
            page.wait_for_timeout(1_000)
            mean, longest = page.evaluate(CHOOSE)
            print(f"choosing an item, {panels} panels of {shape}: {mean:.0f} ms, {longest:.0f} at most")


if __name__ == "__main__":
    main()
