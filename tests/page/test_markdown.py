"""An answer's Markdown as the browser shows it, while it comes and when it is there."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama

CODE = "def add(a, b):\n    # sum\n    return a + 'b'\n"
LONG_LINE = "x = '" + "long " * 60 + "'"
COLOURS = "(code) => new Set([...code.querySelectorAll('span')].map((one) => getComputedStyle(one).color)).size"
IS_WIDER_THAN_ITS_PLACE = "(one) => one.scrollWidth > one.clientWidth"


@pytest.fixture
def stack(stack_before_fake_ollama: Stack) -> Stack:
    return stack_before_fake_ollama


@pytest.fixture
def context_options() -> dict[str, Any]:
    return {"permissions": ["clipboard-read", "clipboard-write"]}


def show(person: Person, ollama: ScriptedOllama, markdown: str) -> None:
    """As an answer that is complete."""
    ollama.answers(markdown)
    person.open()
    person.ask_and_wait("Show me.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_code_is_highlighted(person: Person, ollama: ScriptedOllama, scheme: Any) -> None:
    """In several colours, by day and by night."""
    person.page.emulate_media(color_scheme=scheme)
    show(person, ollama, f"```python\n{CODE}```")
    expect(person.answer.locator("pre .hljs-keyword").first).to_have_text("def")
    assert person.answer.locator("pre code").evaluate(COLOURS) >= 3


def test_code_names_its_language_and_is_copied_as_it_is(person: Person, ollama: ScriptedOllama) -> None:
    """Byte for byte, without what the highlighting added."""
    show(person, ollama, f"```python\n{CODE}```")
    expect(person.answer.locator(".code-bar")).to_have_text("python")
    person.button("Copy code").click()
    expect(person.button("Copied")).to_be_visible()
    assert person.page.evaluate("() => navigator.clipboard.readText()") == CODE


def test_code_in_a_language_that_nobody_knows_is_shown_plainly(person: Person, ollama: ScriptedOllama) -> None:
    """So is code of no language."""
    show(person, ollama, "```nosuch\na < b\n```\n\n```\nc > d\n```")
    expect(person.answer.locator("pre code")).to_have_text(["a < b\n", "c > d\n"])
    expect(person.answer.locator(".code-bar")).to_have_text(["nosuch", "text"])


def test_what_is_wide_scrolls_by_itself(person: Person, ollama: ScriptedOllama) -> None:
    """Code, a table and a formula; the page does not."""
    person.page.set_viewport_size({"width": 360, "height": 740})
    table = "|" + " a column |" * 20 + "\n|" + " --- |" * 20 + "\n|" + " a cell |" * 20
    formula = "$$\n" + " + ".join(f"x_{{{number}}}" for number in range(60)) + "\n$$"
    show(person, ollama, f"```\n{LONG_LINE}\n```\n\n{table}\n\n{formula}")
    for wide in ("pre", ".table", ".formula.display"):
        assert person.answer.locator(wide).evaluate(IS_WIDER_THAN_ITS_PLACE), wide
    assert not person.page.locator("html").evaluate(IS_WIDER_THAN_ITS_PLACE)
    assert not person.page.get_by_label("Messages").evaluate(IS_WIDER_THAN_ITS_PLACE)


def test_cells_are_aligned_as_the_table_says(person: Person, ollama: ScriptedOllama) -> None:
    """Without a style attribute, which the policy would refuse."""
    show(person, ollama, "| a | b | c |\n| :-- | --: | :-: |\n| 1 | 2 | 3 |")
    cells = person.answer.get_by_role("cell")
    alignments = [cell.evaluate("(one) => getComputedStyle(one).textAlign") for cell in cells.all()]
    assert alignments == ["start", "end", "center"]


@pytest.mark.parametrize(
    ("markdown", "kind"),
    [
        ("so $x^2$ it is", "inline"),
        (r"so \(x^2\) it is", "inline"),
        ("$$\nx^2\n$$", "display"),
        ("\\[\nx^2\n\\]", "display"),
    ],
)
def test_a_formula_is_drawn(person: Person, ollama: ScriptedOllama, markdown: str, kind: str) -> None:
    """In each of the ways that models write one; for screen readers as MathML."""
    show(person, ollama, markdown)
    expect(person.answer.locator(f".formula.{kind} .katex-html")).to_be_visible()
    expect(person.answer.locator(".formula math")).to_have_count(1)


def test_a_formula_has_the_sizes_that_katex_gave_it(person: Person, ollama: ScriptedOllama) -> None:
    """They come as style attributes, which the policy refuses; React sets each property instead."""
    show(person, ollama, r"$$\vec{x} = \begin{pmatrix}1 & 2\\3 & 4\end{pmatrix}\sqrt{\frac{a}{b}}$$")
    heights = person.answer.locator(".katex-html [style*=height]").evaluate_all(
        "(all) => all.map((one) => one.style.height)"
    )
    assert len([height for height in heights if height.endswith("em")]) > 5
    arrow = person.answer.locator(".katex-html svg").first
    # KaTeX's style sheet alone would make it as wide as what it stands in.
    assert arrow.evaluate("(svg) => svg.style.width.endsWith('em')")


def test_bad_tex_is_shown_as_it_is(person: Person, ollama: ScriptedOllama) -> None:
    """And the rest of the answer with it."""
    show(person, ollama, r"bad $\frac{a$ and good $b$")
    expect(person.answer.locator(".formula").first).to_have_text(r"\frac{a")
    expect(person.answer.locator(".formula .katex-html")).to_have_count(1)


def test_prices_are_no_formulas(person: Person, ollama: ScriptedOllama) -> None:
    """Two of them in a line would be one."""
    show(person, ollama, "from $5 to $10")
    expect(person.answer.locator("p").first).to_have_text("from $5 to $10")


def test_tasks_say_whether_they_are_done(person: Person, ollama: ScriptedOllama) -> None:
    """To those who do not see the box too."""
    show(person, ollama, "- [x] one\n- [ ] two")
    items = person.answer.get_by_role("listitem")
    expect(items.nth(0).get_by_role("img", name="done")).to_be_visible()
    expect(items.nth(1).get_by_role("img", name="to do")).to_be_visible()


def test_a_link_opens_beside_the_page_and_tells_nothing_of_it(person: Person, ollama: ScriptedOllama) -> None:
    """The conversation stays."""
    show(person, ollama, "see [there](https://example.org/x) or https://example.org/y")
    for link in person.answer.get_by_role("link").all():
        expect(link).to_have_attribute("target", "_blank")
        expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_a_picture_is_a_link(person: Person, ollama: ScriptedOllama) -> None:
    """Its address would tell a stranger what was asked; conftest.py fails on any request elsewhere."""
    show(person, ollama, "![a cat](https://example.org/cat.png?asked=this)")
    expect(person.answer.get_by_role("link", name="a cat")).to_be_visible()
    expect(person.answer.locator("img")).to_have_count(0)


@pytest.mark.parametrize(
    ("begun", "seen"),
    [
        ("Words.\n\n```python\nprint(1)\nprint(", "print(1)\nprint("),
        ("Words.\n\n| a | b |\n| --- | --- |\n| 1 |", "1"),
        ("Words.\n\n- one\n- t", "t"),
        ("Words.\n\n$$\n\\frac{a}{", "\\frac{a}{"),
        ("Words.\n\nsee [the", "see [the"),
    ],
)
def test_what_is_half_written_is_shown(person: Person, ollama: ScriptedOllama, begun: str, seen: str) -> None:
    """As far as it goes, beside what is finished."""
    ollama.answers(begun, ollama.gate())
    person.open()
    person.ask("Begin.")
    expect(person.answer.get_by_text(seen).last).to_be_visible()
    expect(person.answer.locator("p").first).to_have_text("Words.")


def mark(page: Page, selector: str) -> None:
    """Tells the elements that are there from any that take their place later."""
    page.locator(selector).evaluate_all("(all) => all.forEach((one) => { one.isTheFirst = true; })")


def test_what_is_finished_is_not_made_anew(person: Person, ollama: ScriptedOllama) -> None:
    """A paragraph, and a block of code, which keeps its place from its first line to its last."""
    more, end = ollama.gate(), ollama.gate()
    ollama.answers("First.\n\n```python\na = 1\n", more, "b = 2\n```\n\nLast.", end)
    person.open()
    person.ask("Begin.")
    expect(person.answer.locator("pre")).to_contain_text("a = 1")
    mark(person.page, ".answer :is(p, pre)")
    more.open()
    expect(person.answer).to_contain_text("Last.")
    end.open()
    expect(person.button("Try again")).to_be_visible()
    expect(person.answer.locator("pre")).to_have_text("a = 1\nb = 2\n")
    are_first = person.answer.locator(".markdown :is(p, pre)").evaluate_all(
        "(all) => all.map((one) => !!one.isTheFirst)"
    )
    assert are_first == [True, True, False]


def test_a_selection_outlives_what_comes_after(person: Person, ollama: ScriptedOllama) -> None:
    """One can copy from an answer that is still being written."""
    more = ollama.gate()
    ollama.answers("Select me.\n\nSecond ", more, "paragraph.\n\nThird.")
    person.open()
    person.ask("Begin.")
    expect(person.answer).to_contain_text("Second")
    person.page.evaluate("() => getSelection().selectAllChildren(document.querySelector('.markdown p'))")
    more.open()
    expect(person.answer).to_contain_text("Third.")
    assert person.page.evaluate("() => getSelection().toString()") == "Select me."


def test_a_link_defined_at_the_end_is_one_throughout(person: Person, ollama: ScriptedOllama) -> None:
    """It can be known only when the answer is complete."""
    show(person, ollama, "see [there][1]\n\nwords\n\n[1]: https://example.org")
    expect(person.answer.get_by_role("link", name="there")).to_have_attribute("href", "https://example.org")
