"""The page for everybody: axe's rules, small screens, large letters, forced colours; in all of its states."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.page import samples
from tests.page.members import new_email, new_member
from tests.page.person import Person, settle
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import Trouble

USUAL = ViewportSize(width=1280, height=860)
TELEPHONE = ViewportSize(width=360, height=740)
LOOKS: dict[str, tuple[ViewportSize, dict[str, Any]]] = {
    "by day": (USUAL, {"color_scheme": "light"}),
    "by night": (USUAL, {"color_scheme": "dark"}),
    "on a telephone": (TELEPHONE, {"color_scheme": "light"}),
    "on a telephone by night": (TELEPHONE, {"color_scheme": "dark"}),
    "on a large screen": (ViewportSize(width=2560, height=1440), {"color_scheme": "light"}),
}
EVERYTHING = rf"""{samples.ANSWER}

# One
## Two
### Three
#### Four

> A quotation with [a link](https://example.org/) and inline $x^2$.

- [x] done
- [ ] to do

1. one
   - within

***

![a picture](https://example.org/picture.png)

$$\sum_{{i=1}}^{{n}} i = \frac{{n(n+1)}}{{2}} + {"+".join("abcdefghijklmnopqrstuvwxyz" * 2)}$$

{"| wide " * 20}|
{"| ---- " * 20}|
{"| cell " * 20}|
"""
PICTURE = samples.png(64, 48)
# Excludes content that scrolls on its own, and text only for screen readers.
STICKS_OUT = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.checkVisibility() && !one.closest("pre, .table, .formula.display, .visually-hidden"))
  .filter((one) => one.closest(".tools")?.clientWidth !== 0)
  .filter((one) => {
    const { left, right, width } = one.getBoundingClientRect();
    const scrolls = /auto|scroll/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1;
    return width > 1 && (left < -1 || right > innerWidth + 1 || scrolls);
  })
  .map((one) => `${one.tagName} ${one.getAttribute("class")}: ${one.textContent.slice(0, 30)}`)"""


def login(person: Person, _ollama: ScriptedOllama, _trouble: Trouble) -> None:
    person.page.goto("/")
    expect(person.button("Log in")).to_be_visible()


def login_refused(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    login(person, ollama, trouble)
    trouble.expect("console error: .*401")
    person.log_in("wrong")
    expect(person.page.get_by_role("alert")).not_to_be_empty()


def empty(person: Person, ollama: ScriptedOllama, _trouble: Trouble) -> None:
    samples.script(ollama)
    person.open()
    expect(person.page.get_by_text("How can I help?")).to_be_visible()


def no_model(person: Person, ollama: ScriptedOllama, _trouble: Trouble) -> None:
    ollama.models = []
    person.page.goto("/")
    person.log_in()
    expect(person.page.get_by_text("No models installed yet")).to_be_visible()


def ollama_down(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    trouble.expect("console error: .*502")
    ollama.is_down()
    person.page.goto("/")
    person.log_in()
    expect(person.page.get_by_text("Retrying automatically.")).to_be_visible()


def waiting(person: Person, ollama: ScriptedOllama, _trouble: Trouble) -> None:
    ollama.answers(ollama.gate())
    person.open()
    person.ask("What is the answer?")
    expect(person.page.get_by_text("Waiting for the first token")).to_be_visible()


def streaming(person: Person, ollama: ScriptedOllama, _trouble: Trouble) -> None:
    ollama.answers(EVERYTHING, "\n\nAnd then", ollama.gate(), thinking=samples.THINKING)
    person.open()
    person.ask("What is the answer?")
    expect(person.answer).to_contain_text("And then")
    expect(person.answer.locator(".katex-html").first).to_be_attached()


def finished(person: Person, ollama: ScriptedOllama, _trouble: Trouble) -> None:
    ollama.answers(EVERYTHING, thinking=samples.THINKING)
    person.open()
    person.attach_and_wait(PICTURE, samples.file(f"{samples.LONG_WORD[:150]}.txt", b"x" * 20_000))
    person.ask_and_wait(f"What is {samples.LONG_WORD}?")
    person.page.get_by_text("Reasoning").click()
    expect(person.answer.locator(".katex-html").first).to_be_attached()


def attaching(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    trouble.expect("console error: .*415")
    samples.script(ollama)
    person.open()
    person.attach_files(PICTURE, samples.file("program.exe", b"MZ\0\0"))
    expect(person.page.get_by_role("alert")).to_be_visible()


def settings(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    empty(person, ollama, trouble)
    person.button("Settings").click()
    expect(person.page.get_by_role("dialog", name="Settings")).to_be_visible()


def conversations(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    empty(person, ollama, trouble)
    samples.remember(person.page, [samples.LONG_WORD, *samples.TITLES])
    person.page.set_viewport_size(TELEPHONE)
    person.button("Conversations").click()
    expect(person.conversations.first).to_be_visible()


def deleting(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    empty(person, ollama, trouble)
    samples.remember(person.page, [samples.LONG_WORD, *samples.TITLES])
    person.conversations.first.hover()
    person.button(f"Delete {samples.LONG_WORD}").click()
    expect(person.page.get_by_role("dialog")).to_be_visible()


def deleting_on_a_telephone(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    conversations(person, ollama, trouble)
    person.conversations.first.focus()
    person.button(f"Delete {samples.LONG_WORD}").click()
    expect(person.page.get_by_text("will be deleted from this browser for good")).to_be_visible()


def renaming(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    empty(person, ollama, trouble)
    samples.remember(person.page, samples.TITLES)
    person.conversations.first.hover()
    person.button(f"Rename {samples.TITLES[0]}").click()
    expect(person.page.get_by_label("New title")).to_be_focused()


def editing(person: Person, ollama: ScriptedOllama, _trouble: Trouble) -> None:
    samples.script(ollama)
    person.open()
    person.ask_and_wait(samples.QUESTION)
    person.button("Edit message").click()
    expect(person.button("Cancel")).to_be_visible()


def account_menu(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    empty(person, ollama, trouble)
    person.button("Account").click()
    expect(person.button("People")).to_be_visible()


def logging_out(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    empty(person, ollama, trouble)
    person.choose("Log out everywhere")
    expect(person.dialog("Log out everywhere?")).to_be_visible()


def changing_a_password(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    trouble.expect("console error: .*403")
    samples.script(ollama)
    member = new_member(person.stack)
    person.open(member.password, member.email)
    person.choose("Change password")
    person.page.get_by_label("Current password").fill("not the password")
    person.page.get_by_label("New password").fill("a long enough password")
    person.dialog("Change password").get_by_role("button", name="Change password").click()
    expect(person.dialog("Change password").get_by_role("alert")).not_to_be_empty()


def fresh_key(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    empty(person, ollama, trouble)
    person.choose("API keys")
    person.page.get_by_label("Name", exact=True).fill(samples.LONG_WORD[:100])
    person.button("Create key").click()
    person.page.get_by_label("Set up").select_option("opencode")
    expect(person.page.get_by_text("@ai-sdk/openai-compatible")).to_be_visible()


def invited(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    empty(person, ollama, trouble)
    person.choose("People")
    person.page.get_by_label("Email").fill(f"{samples.LONG_WORD[:30]}.{new_email()}")
    person.page.get_by_label("Name (optional)").fill(samples.LONG_WORD[:100])
    person.button("Invite").click()
    expect(person.button("Copy link")).to_be_visible()


def deleting_an_account(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    member = new_member(person.stack)
    empty(person, ollama, trouble)
    person.choose("People")
    person.button(f"Delete: {member.email}").click()
    expect(person.dialog("Delete?")).to_be_visible()


def invitation(person: Person, _ollama: ScriptedOllama, trouble: Trouble) -> None:
    trouble.expect("console error: .*404")
    person.page.goto("/#/invitation/used")
    person.page.get_by_label("New password").fill("a long enough password")
    person.button("Set password").click()
    expect(person.page.get_by_role("alert")).not_to_be_empty()


State = Callable[[Person, ScriptedOllama, Trouble], None]
STATES = [
    *(login, login_refused, empty, no_model, ollama_down, waiting, streaming, finished, attaching),
    *(settings, conversations, deleting, deleting_on_a_telephone, renaming, editing),
    *(account_menu, logging_out, changing_a_password, fresh_key, invited, deleting_an_account, invitation),
]
TELEPHONE_ONLY = (conversations, deleting_on_a_telephone)
LIST_AT_THE_SIDE = (deleting, renaming)
EVERY_STATE = pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)


def looks(page: Page, state: State) -> Iterator[str]:
    """Shows the page in each of LOOKS: with the list in a drawer only on phones, else at the side."""
    for look, (size, colours) in LOOKS.items():
        if state in (TELEPHONE_ONLY if size != TELEPHONE else LIST_AT_THE_SIDE):
            continue
        page.emulate_media(**colours)
        page.set_viewport_size(size)
        settle(page)
        yield look


@EVERY_STATE
def test_axe_finds_nothing(
    person: Person, ollama: ScriptedOllama, trouble: Trouble, axe: Callable[[Page], list[str]], state: State
) -> None:
    """No rule is broken, best practices included, in any colours and on any screen."""
    state(person, ollama, trouble)
    found = {look: axe(person.page) for look in looks(person.page, state)}
    assert {look: findings for look, findings in found.items() if findings} == {}


def enlarge(page: Page, letters: str) -> None:
    page.evaluate("(size) => { document.documentElement.style.fontSize = size }", letters)


@EVERY_STATE
def test_nothing_sticks_out_of_a_small_screen(
    person: Person, ollama: ScriptedOllama, trouble: Trouble, state: State
) -> None:
    """At 360 and 320 pixels, the latter also with letters twice as large: no sideways scrolling, nothing cut off."""
    state(person, ollama, trouble)
    found = {}
    for width, letters in [(360, "100%"), (320, "100%"), (360, "200%"), (320, "200%")]:
        person.page.set_viewport_size({"width": width, "height": 740})
        enlarge(person.page, letters)
        settle(person.page)
        found[width, letters] = person.page.evaluate(STICKS_OUT)
    assert {where: findings for where, findings in found.items() if findings} == {}


@pytest.mark.parametrize("state", [empty, finished, attaching, editing], ids=lambda state: state.__name__)
@pytest.mark.parametrize(
    "size",
    [ViewportSize(width=360, height=740), ViewportSize(width=640, height=360)],
    ids=["upright", "on its side"],
)
def test_one_can_ask_whatever_the_letters(
    person: Person, ollama: ScriptedOllama, trouble: Trouble, state: State, size: ViewportSize
) -> None:
    """On a phone the input and the Send button are visible; with letters twice as large they may need scrolling."""
    state(person, ollama, trouble)
    person.page.set_viewport_size(size)
    expect(person.question).to_be_in_viewport(ratio=1)
    expect(person.button("Send")).to_be_in_viewport(ratio=1)
    enlarge(person.page, "200%")
    person.page.mouse.move(size["width"] / 2, size["height"] - 60)
    person.page.mouse.wheel(0, 2000)
    expect(person.question).to_be_in_viewport()
    expect(person.button("Send")).to_be_in_viewport(ratio=1)


OUTLINES = """(one) => {
  const style = getComputedStyle(one);
  return [style.outlineStyle, style.outlineColor, style.outlineWidth].join(" ");
}"""


def outline(of: Locator) -> str:
    return str(of.evaluate(OUTLINES))


def test_few_colours_show_what_is_chosen(person: Person, ollama: ScriptedOllama) -> None:
    """Where the system removes backgrounds, an outline marks what they marked."""
    samples.script(ollama)
    person.page.emulate_media(forced_colors="active")
    person.open()
    samples.remember(person.page, samples.TITLES)
    person.ask_and_wait(samples.QUESTION)
    first, second = (person.page.locator(".conversations li").nth(number) for number in (0, 1))
    assert "solid" in outline(first)
    assert "rgba(0, 0, 0, 0)" not in outline(first)
    assert "none" in outline(second)


def test_few_colours_leave_every_control_a_border(person: Person, ollama: ScriptedOllama) -> None:
    """Each button and field has a visible border."""
    samples.script(ollama)
    person.page.emulate_media(forced_colors="active")
    person.open()
    person.ask_and_wait(samples.QUESTION)
    colours = person.page.locator("button:visible, .composer, input[type=search], select").evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one).borderTopColor + getComputedStyle(one).borderTopWidth)"
    )
    assert len(colours) > 10
    assert not [colour for colour in colours if "rgba(0, 0, 0, 0)" in colour or "0px" in colour.partition(")")[2]]
