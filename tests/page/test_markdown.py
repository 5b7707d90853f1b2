"""An answer's Markdown: code, tables, formulas, links; complete, and while it is being streamed."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.page import samples
from tests.page.person import Person, settle
from tests.page.scripted import ScriptedOllama

PYTHON = 'def greet(name):\n\t"""Says hello."""\n    return f"Hello, {name}!"  # <b>&amp;\n'
LONG_LINE = "x = " + " + ".join(str(number) for number in range(200))
WIDE_TABLE = "\n".join(f"|{cell * 30}" for cell in (" a long head |", " --- |", " cell |"))
SCROLLS = "(one) => one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX)"
COLOUR = "(one) => getComputedStyle(one).color"
# If the page scrolls sideways, the document is too wide, or the messages are wider than their frame.
PAGE_SCROLLS = """() => [document.documentElement, document.querySelector(".messages")]
  .some((one) => one.scrollWidth > one.clientWidth + 1)"""
MARK = "(one) => { one.ownMark = true }"
IS_MARKED = "(one) => one.ownMark === true"


def answered(person: Person, ollama: ScriptedOllama, text: str) -> Locator:
    """The Markdown of a complete answer."""
    ollama.answers(*samples.pieces(text))
    person.open()
    person.ask_and_wait("What is it?")
    return person.answer.locator(".markdown")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_code_has_its_language_and_colours(person: Person, ollama: ScriptedOllama, scheme: Any) -> None:
    """In light and dark: keywords, strings and comments each have their own."""
    person.page.emulate_media(color_scheme=scheme)
    markdown = answered(person, ollama, f"```python\n{PYTHON}```")
    expect(markdown.locator(".code-bar")).to_have_text("python")
    parts = [markdown.locator(f".hljs-{kind}").first for kind in ("keyword", "string", "comment")]
    expect(parts[0]).to_be_visible()
    colours = {part.evaluate(COLOUR) for part in [markdown.locator("pre"), *parts]}
    assert len(colours) == 4


def test_code_is_copied_as_it_is(person: Person, ollama: ScriptedOllama) -> None:
    """Tabs, symbols, the last line; the button confirms."""
    answered(person, ollama, f"```python\n{PYTHON}```")
    person.button("Copy code").click()
    expect(person.button("Copied")).to_be_visible()
    assert person.copied() == PYTHON


@pytest.mark.parametrize("language", ["", "no-such-language", "c++", "objective-c#!"])
def test_code_of_any_language_is_shown(person: Person, ollama: ScriptedOllama, language: str) -> None:
    """Unchanged, if there is no highlighting for it."""
    markdown = answered(person, ollama, f"```{language}\n<b>{PYTHON}\n```")
    expect(markdown.locator(".code-bar")).to_have_text(language or "text")
    assert markdown.locator("pre").text_content() == f"<b>{PYTHON}\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"```python\n{LONG_LINE}\n```", "pre"),
        (f"    {LONG_LINE}", "pre"),
        (WIDE_TABLE, ".table"),
        (f"$$\n{LONG_LINE}\n$$", ".formula.display"),
        (f"- in a list\n\n  ```\n  {LONG_LINE}\n  ```", "pre"),
    ],
    ids=["code", "indented code", "table", "formula", "code in a list"],
)
def test_wide_content_scrolls_on_its_own(person: Person, ollama: ScriptedOllama, text: str, place: str) -> None:
    """And not the page. It can be reached and scrolled by keyboard."""
    person.page.set_viewport_size({"width": 360, "height": 740})
    wide = answered(person, ollama, text).locator(place)
    settle(person.page)
    assert wide.evaluate(SCROLLS)
    assert not person.page.evaluate(PAGE_SCROLLS)
    wide.focus()
    person.page.keyboard.press("ArrowRight")
    person.page.wait_for_function("(one) => one.scrollLeft > 0", arg=wide.element_handle())


def test_a_table_aligns_its_columns(person: Person, ollama: ScriptedOllama) -> None:
    """As its second line says."""
    table = "| a | b | c | d |\n| --- | :-- | :-: | --: |\n| 1 | 2 | 3 | 4 |"
    markdown = answered(person, ollama, table)
    for row in ("th", "td"):
        alignments = markdown.locator(row).evaluate_all("(all) => all.map((one) => getComputedStyle(one).textAlign)")
        assert alignments == ["start", "start", "center", "end"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("It is $x^2$ here.", "inline"),
        (r"It is \(x^2\) here.", "inline"),
        ("$$x^2$$", "display"),
        ("$$\nx^2\n$$", "display"),
        ("\\[\nx^2\n\\]", "display"),
        (r"\[x^2\]", "display"),
        ("$$x^2$$, as one knows.\n\nMore.", "display"),
        (r"So \[x^2\] it is.", "display"),
    ],
)
def test_a_formula_is_drawn(person: Person, ollama: ScriptedOllama, text: str, kind: str) -> None:
    """However models write it. Its TeX is there for screen readers."""
    formula = answered(person, ollama, text).locator(f".formula.{kind}")
    expect(formula.locator(".katex-html .mord.mathnormal")).to_have_text("x")
    raised = formula.locator(".msupsub").bounding_box()
    base = formula.locator(".mord.mathnormal").bounding_box()
    assert raised
    assert base
    assert raised["y"] < base["y"]
    expect(formula.locator("annotation")).to_have_text("x^2")


def test_a_formula_has_the_sizes_that_katex_means(person: Person, ollama: ScriptedOllama) -> None:
    """The policy forbids style attributes, and still each property is set: heights, positions, widths."""
    markdown = answered(
        person, ollama, r"$$\vec{v} = \begin{pmatrix} a & b \\ c & d \end{pmatrix} \sqrt{\frac{1}{2}}$$"
    )
    expect(markdown.locator(".katex-html .vlist").first).to_be_attached()
    styled = markdown.locator(".katex-html [style]")
    assert len(styled.all()) > 20
    assert styled.evaluate_all("(all) => all.every((one) => one.style.length > 0)")
    cells = markdown.locator(".katex-html .mtable .mathnormal").evaluate_all(
        "(all) => all.map((one) => [one.textContent, one.getBoundingClientRect().x, one.getBoundingClientRect().y])"
    )
    place = {letter: (x, y) for letter, x, y in cells}
    assert place["a"][0] < place["b"][0]
    assert place["a"][1] < place["c"][1]
    box = markdown.locator(".formula").bounding_box()
    assert box
    assert box["height"] > 40


@pytest.mark.parametrize("text", [r"$\frac{1}{$", r"$$\begin{matrix} a$$", r"$\nosuchthing$", r"$\def\a{\a}\a$"])
def test_bad_tex_is_shown_as_it_is(person: Person, ollama: ScriptedOllama, text: str) -> None:
    """Like any other text of the model's."""
    formula = answered(person, ollama, f"{text} and then").locator(".formula code")
    expect(formula).to_have_text(text.strip("$"))


@pytest.mark.parametrize("text", ["It is $5 or $6.", "Between $20,000 and $30,000.", r"A \$ and a \$."])
def test_money_is_no_formula(person: Person, ollama: ScriptedOllama, text: str) -> None:
    """Plain text has pairs of dollar signs too."""
    markdown = answered(person, ollama, text)
    expect(markdown).to_have_text(text.replace("\\", ""))
    expect(markdown.locator(".formula")).to_have_count(0)


def test_tasks_are_done_or_to_do(person: Person, ollama: ScriptedOllama) -> None:
    """For sighted people and screen readers; they cannot be ticked."""
    markdown = answered(person, ollama, "- [x] wash\n- [ ] dry\n")
    expect(markdown.get_by_role("img", name="done")).to_have_count(1)
    expect(markdown.get_by_role("img", name="to do")).to_have_count(1)
    expect(markdown.locator("input")).to_have_count(0)


def test_links_open_in_a_new_tab(person: Person, ollama: ScriptedOllama) -> None:
    """Without access to this one. File names are not links."""
    markdown = answered(person, ollama, "[a](https://a.example/) https://b.example/ <mailto:c@d.example> readme.md")
    links = markdown.get_by_role("link")
    addresses = links.evaluate_all("(all) => all.map((one) => [one.href, one.target, one.rel])")
    assert addresses == [
        [address, "_blank", "noopener noreferrer"]
        for address in ("https://a.example/", "https://b.example/", "mailto:c@d.example")
    ]


def test_pictures_are_links(person: Person, ollama: ScriptedOllama) -> None:
    """Nothing is fetched: the request could tell a server what was asked here. trouble.py would notice."""
    markdown = answered(person, ollama, "![a cat](https://a.example/cat.png?secret)\n\n![](data:image/png;base64,AAAA)")
    expect(markdown.get_by_role("link", name="a cat")).to_have_attribute("href", "https://a.example/cat.png?secret")
    expect(markdown.locator("img")).to_have_count(0)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("```python\nprint('half", "pythonprint('half"),
        ("```", "text"),
        ("| a | b |\n| --- | --- |\n| 1", "ab1"),
        ("See [this](https://a.exam", "See [this](https://a.exam"),
        ("It is **very bo", "It is **very bo"),
        ("It is $x^", "It is $x^"),
        ("1. one\n2. tw", "onetw"),
        ("# Titl", "Titl"),
    ],
    ids=["fence", "ticks", "table", "link", "bold", "formula", "list", "title"],
)
def test_what_is_unfinished_is_shown_so_far(person: Person, ollama: ScriptedOllama, text: str, shown: str) -> None:
    """During streaming: as the block it will become, or as characters."""
    ollama.answers("First.\n\n", text, ollama.gate())
    person.open()
    person.ask("What is it?")
    last = person.answer.locator(".markdown > *").nth(1)
    expect(last).to_be_visible()
    assert last.evaluate("(one) => one.textContent.replaceAll('\\n', '')") == shown


def test_an_unfinished_formula_is_drawn_so_far(person: Person, ollama: ScriptedOllama) -> None:
    """As soon as the part so far can be drawn; until then its TeX is shown."""
    brace, rest = ollama.gate(), ollama.gate()
    ollama.answers("First.\n\n$$\n\\frac{1}{", brace, "2} + x", rest)
    person.open()
    person.ask("What is it?")
    expect(person.answer.locator(".formula code")).to_have_text("\\frac{1}{")
    brace.open()
    expect(person.answer.locator(".formula annotation")).to_have_text("\\frac{1}{2} + x")


def test_finished_blocks_are_left_alone(person: Person, ollama: ScriptedOllama) -> None:
    """They remain the same elements, whatever follows."""
    gate = ollama.gate()
    ollama.answers("First.\n\n```python\nx = 1\n```\n\n", "And", gate, *samples.pieces(samples.ANSWER, 50))
    person.open()
    person.ask("What is it?")
    blocks = [person.answer.locator(".markdown > *").nth(number) for number in (0, 1)]
    expect(person.answer.locator(".markdown")).to_contain_text("And")
    expect(blocks[1].locator(".hljs-number")).to_be_visible()
    for block in [*blocks, blocks[1].locator(".hljs-number")]:
        block.evaluate(MARK)
    gate.open()
    expect(person.button("Try again")).to_be_visible()
    assert all(block.evaluate(IS_MARKED) for block in [*blocks, blocks[1].locator(".hljs-number")])


def test_a_block_of_code_is_one_element_from_its_first_line_to_its_last(person: Person, ollama: ScriptedOllama) -> None:
    """Selections and scroll positions in it survive its end."""
    more = ollama.gate()
    ollama.answers("```python\na = 1\n", more, "b = 2\n```\n\nLast.")
    person.open()
    person.ask("What is it?")
    code = person.answer.locator("pre")
    expect(code).to_contain_text("a = 1")
    code.evaluate(MARK)
    more.open()
    expect(person.button("Try again")).to_be_visible()
    expect(code).to_have_text("a = 1\nb = 2\n")
    assert code.evaluate(IS_MARKED)


def test_a_link_that_is_defined_at_the_end_is_one(person: Person, ollama: ScriptedOllama) -> None:
    """The definition is known only when the answer is complete."""
    markdown = answered(person, ollama, "see [there][1]\n\nwords\n\n[1]: https://a.example")
    expect(markdown.get_by_role("link", name="there")).to_have_attribute("href", "https://a.example")


def test_a_selection_stays_while_the_answer_goes_on(person: Person, ollama: ScriptedOllama) -> None:
    """One can copy from finished blocks before the answer ends."""
    gate = ollama.gate()
    ollama.answers("First of all.\n\n", "And", gate, *samples.pieces(samples.ANSWER, 50))
    person.open()
    person.ask("What is it?")
    expect(person.answer.locator(".markdown")).to_contain_text("And")
    person.answer.get_by_text("First of all.").select_text()
    gate.open()
    expect(person.button("Try again")).to_be_visible()
    assert person.page.evaluate("getSelection().toString().trim()") == "First of all."


def test_an_answer_is_copied_as_markdown(person: Person, ollama: ScriptedOllama) -> None:
    """Character for character as the model wrote it."""
    answered(person, ollama, samples.ANSWER)
    person.button("Copy answer").click()
    expect(person.button("Copied")).to_be_visible()
    assert person.copied() == samples.ANSWER
