"""The page in a real browser: what a reader does, and what must not happen."""

import json
import os
import shutil

import pytest

from tests.helpers import judgeharness
from tests.reports.page.conftest import NASTY, write_task

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REQUIRED = os.environ.get("JUDGEHARNESS_REQUIRE_BROWSER") == "1"
SCALE = {"wide": (1440, 900), "narrow": (390, 844)}


@pytest.fixture(scope="module")
def browser():
    found = os.environ.get("JUDGEHARNESS_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        message = "no Chromium here: install one, or name it in JUDGEHARNESS_BROWSER"
        if REQUIRED:
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # The sandbox needs rights that containers do not give; the pages are our own.
        launched = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def written(made_once):
    out = made_once.task.parent / "report.html"
    result = judgeharness("report", "-o", out, "--task", made_once.task, "--store", made_once.store)
    assert result.code == 0, result.err
    return out


class Opened:
    """A page, and all that it said and asked for."""

    def __init__(self, browser, path, scheme="light", size="wide", fragment=""):
        width, height = SCALE[size]
        self.page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"{path.as_uri()}{fragment}")
        self.page.wait_for_selector("#items-list tbody tr")

    def see(self, selector):
        self.page.evaluate("name => document.querySelector(name).scrollIntoView()", selector)

    def drawn(self, count):
        """Wait until that many panels are drawn: they are when they come into view."""
        for place in range(count):
            self.page.locator(".panel").nth(place).scroll_into_view_if_needed()
            self.page.locator(".panel").nth(place).locator(".plotly, .main-svg").first.wait_for()

    def texts(self, selector):
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]


@pytest.fixture
def opened(browser, written):
    shown = Opened(browser, written)
    yield shown
    shown.page.close()
    assert shown.said == []
    assert len([url for url in shown.asked if not url.startswith(("data:", "blob:"))]) == 1


def test_sorting_by_any_column_both_ways(opened):
    rows = "table.leaderboard tbody tr"
    opened.page.get_by_role("button", name="TVD").click()
    head = opened.page.locator("th", has_text="TVD")
    assert head.get_attribute("aria-sort") == "ascending"
    column = head.evaluate("each => each.cellIndex")
    values = opened.page.locator(f"{rows} td:nth-child({column + 1})").evaluate_all(
        "all => all.map(e => e.dataset.value)"
    )
    numbers = [float(value) for value in values if value]
    assert len(numbers) > 5
    assert numbers == sorted(numbers)
    opened.page.get_by_role("button", name="TVD").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    again = opened.page.locator(f"{rows} td:nth-child({column + 1})").evaluate_all(
        "all => all.map(e => e.dataset.value)"
    )
    assert [float(value) for value in again if value] == sorted(numbers, reverse=True)


def test_filtering_by_strategy(opened):
    opened.page.get_by_label("strategy").first.select_option("serial-explicit")
    shown = opened.page.locator("table.leaderboard tbody tr:visible")
    assert shown.count() == 2
    assert all("serial-explicit" in text for text in shown.all_inner_texts())
    opened.page.get_by_label("strategy").first.select_option("")
    assert opened.page.locator("table.leaderboard tbody tr:visible").count() > 5


def test_a_point_that_is_chosen_shows_its_item_and_lights_up_everywhere(opened):
    opened.drawn(7)
    panel = opened.page.locator(".panel").first
    box = panel.locator(".scatterlayer .points path.point").nth(2).bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.page.mouse.move(*middle)
    opened.page.wait_for_selector(".panel .ring")
    assert "people entailment" in opened.texts("#points-readout")[0]
    opened.page.mouse.click(*middle)
    opened.page.wait_for_selector("#item h3")
    uid = opened.texts("#item h3")[0]
    assert uid in opened.texts("#points-readout")[0]
    opened.page.mouse.move(0, 0)
    assert opened.page.locator(".panel .ring").count() == 7
    # The mark lies on the point: ours is where plotly has its own.
    ring = panel.locator(".ring").bounding_box()
    assert abs(ring["x"] + ring["width"] / 2 - middle[0]) < 1.5
    assert abs(ring["y"] + ring["height"] / 2 - middle[1]) < 1.5
    assert opened.page.locator("#items-list tr[aria-current='true']").inner_text().startswith(uid)


def test_marks_lie_on_a_judges_points_stretched_or_not(opened):
    opened.drawn(7)
    opened.page.locator("#items-list button").nth(4).click()
    places = """panel => {
        const ring = panel.querySelector('.ring').getBoundingClientRect();
        const middle = [ring.x + ring.width / 2, ring.y + ring.height / 2];
        const points = [...panel.querySelectorAll('.points path.point')].map((each) => each.getBoundingClientRect());
        const far = (box) => Math.hypot(box.x + box.width / 2 - middle[0], box.y + box.height / 2 - middle[1]);
        return Math.min(...points.map(far));
    }"""
    for stretched in (False, True):
        opened.page.locator("#stretch").set_checked(stretched)
        for place in range(7):
            assert opened.page.locator(".panel").nth(place).evaluate(places) < 1.5
    assert any("(stretched " in text for text in opened.texts(".panel figcaption"))


def test_the_heat_map_of_a_serial_run(opened):
    opened.page.locator("#items-list button").first.click()
    opened.page.locator("#item-asking").select_option(label="hf:smollm2 serial-explicit")
    tables = opened.page.locator("table.heat")
    tables.first.locator("td[data-prompt='11']").wait_for()
    assert opened.texts("table.heat caption") == ["entailment", "neutral", "contradiction"]
    assert opened.texts("table.heat >> nth=0 >> tbody th") == ["E1 E2", "E2 E1"]
    assert tables.first.locator("td[data-prompt]").count() == 12
    shares = [float(tables.nth(label).locator("td[data-prompt='7']").inner_text()) for label in range(3)]
    assert sum(shares) == pytest.approx(1, abs=0.02)
    tables.first.locator("td[data-prompt='7']").click()
    assert opened.texts("#item .prompt h4")[0] == "Prompt 8 of 12"
    sent = opened.page.locator("#item pre.sent").inner_text()
    assert NASTY in sent
    assert sent.startswith("<|im_start|>system")
    assert "Sold means there was some." in sent
    assert opened.page.locator("table.preferences").count() == 2


def test_the_heat_map_goes_by_keyboard(opened):
    opened.page.locator("#items-list button").nth(2).click()
    first = opened.page.locator("table.heat td[data-prompt='0']").first
    first.focus()
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("Enter")
    assert opened.texts("#item .prompt h4")[0] == "Prompt 2 of 6"
    opened.page.locator("#items-list button").nth(2).focus()
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("Enter")
    assert opened.texts("#item h3") == ["item 3"]


def test_an_item_that_is_out_to_break_the_page_is_shown_as_text(opened):
    opened.page.locator("#items-list button").first.click()
    assert NASTY in opened.page.locator("#item dl.fields dd").first.inner_text()
    opened.page.locator("#items-list button").nth(1).click()
    assert opened.texts("#item h3") == ["item <b>1</b>"]
    assert opened.page.locator("#item h3 b").count() == 0
    assert opened.page.locator("img").count() == 0
    assert opened.page.title() == "Judges and people"


def test_search_filters_and_orders(opened):
    rows = opened.page.locator("#items-list tbody tr")
    opened.page.get_by_label("Search").fill("shop 7")
    assert rows.count() == 1
    assert opened.texts("#items-count") == ["1 of 12 items"]
    opened.page.get_by_label("Search").fill("")
    opened.page.get_by_label("Most chose").select_option("contradiction")
    assert 0 < rows.count() < 12
    assert all("contradiction" in text for text in rows.all_inner_texts())
    opened.page.get_by_label("Most chose").select_option("")
    opened.page.locator("#items-band").select_option(index=4)
    assert 0 < rows.count() < 12
    opened.page.locator("#items-band").select_option("")
    opened.page.get_by_label("Order").select_option("measure")
    values = [float(text) for text in opened.texts("#items-list tbody td:last-child")]
    assert values == sorted(values, reverse=True)
    opened.page.get_by_label("Order").select_option("gain")
    gains = [float(text) for text in opened.texts("#items-list tbody td:last-child")]
    assert gains == sorted(gains, reverse=True)


def test_light_and_dark(browser, written):
    shown = Opened(browser, written, scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert shown.page.evaluate(background) == "rgb(22, 24, 28)"
    shown.drawn(2)
    shown.page.get_by_role("button", name="Dark").click()
    assert shown.page.evaluate(background) == "rgb(255, 255, 255)"
    assert shown.said == []
    shown.page.close()


@pytest.mark.parametrize("size", SCALE)
def test_nothing_is_wider_than_the_window(browser, written, size):
    shown = Opened(browser, written, size=size)
    shown.page.locator("#items-list button").first.click()
    shown.drawn(7)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= SCALE[size][0]
    shown.page.close()


def test_an_address_names_an_item(browser, written):
    shown = Opened(browser, written, fragment="#item=item%205")
    assert shown.texts("#item h3") == ["item 5"]
    shown.page.close()
    for strange in ("#item=%E0%A4%A", "#item=nobody", "#item="):
        shown = Opened(browser, written, fragment=strange)
        assert shown.texts("#item") == ["Choose an item."]
        assert shown.said == []
        shown.page.close()


def test_print_shows_what_is_folded(browser, written):
    shown = Opened(browser, written, scheme="dark")
    shown.page.emulate_media(media="print")
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert shown.page.evaluate("document.documentElement.dataset.theme") == "light"
    assert shown.page.locator("details:not([open])").count() == 0
    assert not shown.page.locator("#theme").is_visible()
    assert shown.page.locator(".panel .main-svg").count() >= 7
    assert shown.said == []
    shown.page.close()


def test_two_labels_and_four(browser, tmp_path):
    for labels, kind in ((["no", "yes"], ".scatterlayer .points path.point"), (["a", "b", "c", "d"], ".barlayer path")):
        folder = tmp_path / str(len(labels))
        folder.mkdir()
        lines = [
            {
                "uid": f"u{place}",
                "text": f"Number {place}?",
                "votes": [1 + (place * (n + 1)) % 5 for n in range(len(labels))],
            }
            for place in range(12)
        ]
        (folder / "few.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
        tables = "".join(f'[[labels]]\nname = "{label}"\ntext = "{label.upper()}"\n' for label in labels)
        task = folder / "few.toml"
        (folder / "few.jinja").write_text("{{ text }} {% for option in options %}{{ option.letter }} {% endfor %}")
        task.write_text(
            f'name = "few"\ntitle = "Few"\ntemplate = "few.jinja"\n{tables}[items]\nfile = "few.jsonl"\n'
            'votes = "votes"\n[items.fields]\ntext = "text"\n'
        )
        words = ("--task", task, "--store", folder / "s.db")
        done = judgeharness("eval", *words, "--backend", "baseline:uniform")
        assert done.code == 0, done.err
        out = folder / "r.html"
        assert judgeharness("report", "-o", out, *words).code == 0
        shown = Opened(browser, out)
        shown.drawn(2)
        assert shown.page.locator(f".panel >> nth=0 >> {kind}").count() == (12 if len(labels) == 2 else 4)
        shown.page.locator("#items-list button").nth(1).click()
        assert shown.page.locator(".panel .ring").count() == (2 if len(labels) == 2 else 0)
        assert shown.said == []
        shown.page.close()


def test_several_sets_of_items_in_one_file(browser, made, tmp_path):
    words = ("--store", made.store)
    assert (
        judgeharness("eval", "--task", "nli-sample", "--limit", "5", "--backend", "baseline:uniform", *words).code == 0
    )
    out = tmp_path / "two.html"
    assert judgeharness("report", "-o", out, "--task", made.task, *words).code == 0
    shown = Opened(browser, out)
    assert shown.page.locator("table.leaderboard").count() == 2
    counts = set()
    for place in range(2):
        shown.page.locator("#subject").select_option(str(place))
        counts.add(shown.texts("#items-count")[0])
        shown.page.locator("#items-list button").nth(1).click()
        shown.drawn(2)
    assert counts == {"12 of 12 items", "5 of 5 items"}
    assert shown.said == []
    shown.page.close()


def test_many_items_are_quick(browser, tmp_path):
    task = write_task(tmp_path, 1_599, "many")
    words = ("--task", task, "--store", tmp_path / "s.db")
    done = judgeharness("eval", *words, "--backend", "baseline:uniform", "--backend", "baseline:explanations")
    assert done.code == 0, done.err
    out = tmp_path / "many.html"
    assert judgeharness("report", "-o", out, *words).code == 0
    shown = Opened(browser, out)
    assert shown.page.locator("#points-as").input_value() == "density"
    paint = shown.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 2_000
    shown.drawn(3)
    assert 10 < shown.page.locator(".panel >> nth=0 >> .points path.point").count() < 700
    script = (
        "item => { const begun = performance.now(); JudgeHarness.choose(item); "
        "document.body.offsetHeight; return performance.now() - begun; }"
    )
    # The quickest of a few: other work on the machine is not the page's.
    assert min(shown.page.evaluate(script, 100 * place) for place in range(1, 6)) < 100
    assert shown.texts("#items-count") == ["1,599 of 1,599 items"]
    assert shown.page.locator("#items-list tbody tr").count() == 50
    shown.page.get_by_role("button", name="Show more").click()
    assert shown.page.locator("#items-list tbody tr").count() == 100
    shown.page.close()
