"""The pages: what stands on them, that hostile text stays text, and how they look to a browser and to a screen reader."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from cxlib.report import page
from tests.report_project import AS_OF, ROOT, SHOW, Project, cell, notebook, payload, result, row, show

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
SVG = f"<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'>{HOSTILE}</svg>"
MISCHIEF = (
    f"## Trouble {HOSTILE}\n\n[here](javascript:alert(3)) ![x](https://example.org/x.png) <b onclick=alert(4)>b</b>",
    f"import pandas as pd\npd.DataFrame({{'{HOSTILE}': ['{HOSTILE}']}})",
    f"from IPython.display import HTML, Markdown, display\ndisplay(HTML('{HOSTILE}'))",
    f"display(Markdown('# {HOSTILE}\\n[a](javascript:alert(5))'))",
    f"display({{'image/svg+xml': {SVG!r}, 'text/plain': 'x'}}, raw=True)",
    f"print('{HOSTILE}'); import sys; print('unseen', file=sys.stderr)",
    SHOW,
)
#: Opens all folds, so that what they hold is judged as well.
OPEN = "document.querySelectorAll('details').forEach(fold => fold.open = true)"


class Tags(HTMLParser):
    """Whatever in a page could run or fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.harmful: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "form", "base", "svg"}:
            self.harmful.append(tag)
        for name, value in attrs:
            reference = (value or "").strip().lower()
            fetched = name in {"src", "srcset", "data", "poster"} or (tag == "link" and name == "href")
            if (
                name.startswith("on")
                or reference.startswith(("javascript:", "vbscript:"))
                or (fetched and not reference.startswith("data:"))
            ):
                self.harmful.append(f"{tag} {name}={value}")


def harmful(text: str) -> list[str]:
    tags = Tags()
    tags.feed(text)
    return tags.harmful


@pytest.fixture(scope="module")
def mischief(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A workbook whose every text is hostile: one good report, one revision, a failed attempt to renew it, a failed date."""
    project = Project(tmp_path_factory.mktemp("mischief"), name=HOSTILE.replace('"', "'"))
    project.add("trouble", *MISCHIEF)
    done = project.run()
    assert done.returncode == 0, done.stderr
    project.answers([9] * 60)
    assert project.run().returncode == 0
    project.add("trouble", f"raise ValueError('{HOSTILE}')")
    for as_of in (AS_OF, "2026-05-31"):
        assert project.run(as_of=as_of).returncode == 1
    return project


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The main job: every notebook on the sample company."""
    folder = tmp_path_factory.mktemp("sample")
    project = Project(folder / "elsewhere")
    words = ["run", "--as-of", AS_OF, "--sources", str(ROOT / "data" / "sources.toml")]
    words += ["--to", str(folder / "reports"), "--private", str(folder / "private")]
    done = project.cxlib(*words, *map(str, sorted((ROOT / "notebooks").glob("*.ipynb"))))
    assert done.returncode == 0, done.stderr
    return folder / "reports"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        yield browser
        browser.close()


def pages(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.html") if ".revision" not in str(path.parent))


@pytest.mark.parametrize("kind", ["mischief", "sample"])
def test_pages_hold_nothing_that_runs_or_fetches(kind: str, request: pytest.FixtureRequest) -> None:
    made = request.getfixturevalue(kind)
    for path in pages(made.reports if isinstance(made, Project) else made):
        text = path.read_text(encoding="utf-8")
        assert harmful(text) == [], path.name
        assert "default-src 'none'" in text
        assert "No description has been provided" not in text


def test_hostile_text_is_shown_as_text(mischief: Project) -> None:
    text = (mischief.place / "trouble.html").read_text(encoding="utf-8")
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6
    assert "unseen" not in text
    index = (mischief.reports / "index.html").read_text(encoding="utf-8")
    assert "failed: ValueError: &lt;script&gt;alert(1)" in index


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("kind", ["mischief", "sample"])
def test_a_browser_finds_nothing_to_complain_of(
    kind: str, width: int, scheme: str, browser: Browser, request: pytest.FixtureRequest
) -> None:
    made = request.getfixturevalue(kind)
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme="dark" if scheme == "dark" else "light", offline=True
    )
    opened = pages(made.reports if isinstance(made, Project) else made)
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    context.on("dialog", lambda dialog: said.append(dialog.message))
    context.on("request", lambda asked: said.append(asked.url) if not asked.url.startswith("data:") else None)
    try:
        for path in opened:
            view = context.new_page()
            view.goto(path.as_uri())
            _fits(view, path.name)
            view.evaluate(OPEN)
            _fits(view, f"{path.name} with all folds open")
            # Each width and each scheme is judged, not each pair of them: it takes half a minute.
            found = Axe().run(view)["violations"] if (width == 1280) == (scheme == "light") else []
            assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == [], path.name
            view.close()
    finally:
        context.close()
    assert said == [path.as_uri() for path in opened]


def _fits(view: Page, name: str) -> None:
    wide = view.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide[0] <= wide[1], f"{name} scrolls sideways"
    if wide[1] <= 600:
        wider = "table => table.scrollWidth > table.clientWidth"
        cut = view.evaluate(f"[...document.querySelectorAll('.cx-stacks')].filter({wider}).map(table => table.ariaLabel)")
        assert cut == [], f"{name} cuts tables on a phone"
    levels = view.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(heading => +heading.tagName[1])")
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), f"{name}: {levels}"
    assert levels.count(1) == 1


def test_the_contents_list_follows_on_a_wide_screen_and_folds_on_a_narrow_one(sample: Path, browser: Browser) -> None:
    path = sample / AS_OF / "survey_scores.html"
    for width, follows in ((1280, True), (390, False)):
        view = browser.new_page(viewport={"width": width, "height": 844})
        view.goto(path.as_uri())
        view.evaluate("window.scrollTo(0, 2000)")
        beside = view.locator("nav.beside")
        folded = view.locator("nav.folded summary")
        assert (beside.is_visible(), folded.is_visible()) == (follows, not follows)
        if follows:
            box = beside.bounding_box()
            assert box is not None
            assert 0 <= box["y"] <= 844
        view.close()


def test_on_paper_the_page_is_light_and_without_what_only_a_screen_can_use(mischief: Project, browser: Browser) -> None:
    view = browser.new_page(color_scheme="dark")
    view.goto((mischief.place / "trouble.html").as_uri())
    view.emulate_media(media="print", color_scheme="dark")
    assert view.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for name in ("nav.beside", "nav.folded", "footer"):
        assert not view.locator(name).is_visible()
    view.close()


def test_a_page_begins_with_what_it_is_and_the_first_finding(sample: Path, browser: Browser) -> None:
    view = browser.new_page()
    view.goto((sample / AS_OF / "survey_scores.html").as_uri())
    lines = [line for line in view.locator("body").inner_text().splitlines() if line.strip()]
    start = lines.index("Survey scores")
    assert lines[start - 1] == "Sample company"
    assert lines[start + 1].startswith("As of 30 June 2026, for the period ")
    assert view.locator(".lead .cx-headline").count() == 1
    assert view.locator("pre").count() == 0
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.textContent") == "Skip to the content"
    view.close()


def test_headings_are_put_in_order_and_get_names_of_their_own() -> None:
    content = notebook("## By plan", "#### Deep", "# Another title", "## By plan")
    found = page.document("scores", content)
    assert found.title == "A question"
    assert [(section.level, section.id, section.title) for section in found.sections] == [
        (2, "by-plan", "By plan"),
        (3, "deep", "Deep"),
        (2, "another-title", "Another title"),
        (2, "by-plan-2", "By plan"),
    ]


def test_a_picture_without_words_is_named_by_the_heading_above_it() -> None:
    content = notebook("## By plan")
    picture = {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": "<Figure>"}, "metadata": {}}
    content["cells"].append({**cell("draw()"), "outputs": [picture]})
    found = page.document("scores", content)
    assert found.sections[0].parts == ['<p><img alt="Picture under the heading &#x27;By plan&#x27;" src="data:image/png;base64,AAAA"></p>']


@pytest.mark.parametrize(
    ("rows", "window"),
    [
        (
            [row(1.0, 9, since="2026-01-02", until="2026-03-01"), row(1.0, 9, since="2025-01-02", until="2026-02-01")],
            ("2025-01-02", "2026-03-01"),
        ),
        ([row(1.0, 9, since="2026-01-02", until="2026-03-01"), row(1.0, 9, since=None, until=None)], None),
        ([], None),
    ],
)
def test_the_period_of_a_page_is_that_of_its_numbers_where_all_of_them_say(rows: list[dict[str, object]], window: object) -> None:
    content = notebook()
    shown = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "", page.MIME: payload("table", result("nps", rows))}}
    content["cells"].append({**cell(show({})), "outputs": [shown]})
    assert page.document("scores", json.loads(json.dumps(content))).window == window


def test_no_step_of_a_published_curve_is_of_a_few(sample: Path) -> None:
    """Between two days of a curve nobody or five have left, in the files, in the record and by reason; by reason on days of all."""
    tables = sample / AS_OF / "tables"
    whole = pd.read_csv(tables / "churn_survival-survival_by_tenure_days-2.csv")
    parts = pd.read_csv(tables / "churn_survival-survival_by_segment_tenure_days.csv")
    reasons = pd.read_csv(tables / "churn_survival-cumulative_incidence_by_end_reason_tenure_days.csv")
    gaps = pd.read_csv(tables / "churn_survival-returned_share_by_gap_days.csv")
    for steps in (whole["events"], parts["events"], reasons["events"], gaps["returned"]):
        assert not steps.isin(range(1, 5)).any()
        assert steps.max() >= 5
    assert set(reasons["tenure_days"]) <= set(whole["tenure_days"])
    took = reasons[reasons["tenure_days"] > 0].groupby("tenure_days")["events"].agg(lambda events: (events > 0).sum())
    assert (took != 1).all()
    record = pd.read_parquet(sample / AS_OF / "results.parquet")
    kept = record[record["measure"] == "cumulative_incidence"]
    assert len(kept) == len(reasons)
    assert set(kept["estimate"].round(12)) == set(reasons["estimate"].round(12))
    executed = (sample / AS_OF / "churn_survival.ipynb").read_text(encoding="utf-8")
    assert executed.count("cumulative_incidence_by_end_reason_tenure_days.csv") > 0
    assert executed.count('"measure": "cumulative_incidence"') == len(reasons)
