"""How fast the page is: during a long answer, at the first visit, and how much is transferred."""

from statistics import median

from playwright.sync_api import Browser, Page, expect

from tests.page import samples
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.support.stack import Stack

CHARACTERS = 100_000
PIECE_CHARACTERS = 20
PAUSE_SECONDS = 0.002
# A frame at 60 per second, with clock jitter.
FRAME_MS = 17.5
# Three frames, which is visible: it happens now and then on two shared cores.
LONG_FRAME_MS = 50
LONG_FRAMES_SHARE = 0.05
TRIES = 3
FIRST_PAINT_MS = 300
SHIPPED_BYTES = 250_000

# The median duration of LAY_OUT_TEXT where the limits above were set.
LAYOUT_MS = 18
LAY_OUT_TEXT = """() => {
  const times = [];
  for (let round = 0; round < 15; round += 1) {
    const begin = performance.now();
    const list = document.createElement("div");
    document.body.append(list);
    for (let count = 0; count < 400; count += 1) {
      const paragraph = document.createElement("p");
      paragraph.textContent = "Words that wrap around. ".repeat(12);
      list.append(paragraph);
    }
    list.getBoundingClientRect();
    list.remove();
    times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b)[7];
}"""

# Until half a second after the end, which must not cause a long frame either.
NOTE_FRAMES = """() => {
  delete window.intervals;
  const intervals = [];
  let last = performance.now();
  let left = 30;
  const note = (now) => {
    intervals.push(now - last);
    last = now;
    if (document.querySelector(".answer[aria-busy=false]")) left -= 1;
    if (left) requestAnimationFrame(note);
    else window.intervals = intervals;
  };
  requestAnimationFrame(note);
}"""


def mixed() -> str:
    """With all of Markdown, CHARACTERS long."""
    return (samples.ANSWER * (CHARACTERS // len(samples.ANSWER) + 1))[:CHARACTERS]


def intervals_while_it_comes(person: Person, ollama: ScriptedOllama) -> list[float]:
    """Milliseconds between frames during an answer of about ten seconds."""
    answer = samples.pieces(mixed(), PIECE_CHARACTERS)
    ollama.answers(*(part for piece in answer for part in (piece, PAUSE_SECONDS)))
    person.begin()
    person.ask("Write much.")
    expect(person.answer.locator(".markdown")).to_be_visible()
    person.page.evaluate(NOTE_FRAMES)
    # Rarely: polling costs the page time too.
    person.page.wait_for_function("() => window.intervals", polling=500, timeout=120_000)
    intervals: list[float] = person.page.evaluate("window.intervals")
    return intervals


def slowness(page: Page) -> float:
    """1 on the machine where the limits above were set, with its own core. The same layout there takes twice as long
    while a neighbour uses the other half of the core: 17 to 37 ms from one second to the next."""
    layout_ms: float = page.evaluate(LAY_OUT_TEXT)
    return max(1.0, layout_ms / LAYOUT_MS)


def is_smooth(intervals: list[float], slowness: float) -> bool:
    """Prints its findings, too."""
    seconds = sum(intervals) / 1000
    long = sum(interval > LONG_FRAME_MS * slowness for interval in intervals) / len(intervals)
    almost_all = sorted(intervals)[int(len(intervals) * 0.95)]
    print(
        f"{len(intervals) / seconds:.1f} frames/s over {seconds:.1f} s, median {median(intervals):.1f} ms, 95 % within "
        f"{almost_all:.1f} ms, {long:.1%} above {LONG_FRAME_MS * slowness:.0f} ms, longest {max(intervals):.0f} ms; "
        f"the machine was {slowness:.1f} times slower than the reference"
    )
    return median(intervals) <= FRAME_MS * slowness and long <= LONG_FRAMES_SHARE


def is_smooth_now(person: Person, ollama: ScriptedOllama) -> bool:
    before = slowness(person.page)
    intervals = intervals_while_it_comes(person, ollama)
    return is_smooth(intervals, max(before, slowness(person.page)))


def test_a_long_answer_runs_smoothly(person: Person, ollama: ScriptedOllama) -> None:
    """60 frames a second, while 100,000 characters of Markdown arrive in pieces of 20."""
    person.open()
    # Other load can only make it slower.
    assert any(is_smooth_now(person, ollama) for _ in range(TRIES))


def first_paint_ms(chromium: Browser, stack: Stack) -> tuple[float, float]:
    """In a fresh browser; and the machine's slowness then."""
    context = chromium.new_context(base_url=stack.url)
    page = context.new_page()
    page.goto("/")
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
    paint: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    slow = slowness(page)
    context.close()
    return paint, slow


def test_there_is_something_to_see_soon(chromium: Browser, stack: Stack) -> None:
    """On this machine, without network latency. The first visit warms up the server."""
    _, *paints = [first_paint_ms(chromium, stack) for _ in range(6)]
    print("first paint after", ", ".join(f"{paint:.0f} ms ({slow:.1f} times slower)" for paint, slow in paints))
    assert min(paint / slow for paint, slow in paints) <= FIRST_PAINT_MS


def test_the_page_is_light(stack: Stack) -> None:
    """All its JavaScript as transferred, including lazily loaded parts, except highlighting languages."""
    listed = stack.run(
        "exec", "--no-TTY", "nginx", "sh", "-c", "stat -c '%n %s' /usr/share/localchat/page/assets/*.js.gz"
    )
    sizes = {name.rpartition("/")[2]: int(size) for name, size in (line.split() for line in listed.splitlines())}
    counted = {name: size for name, size in sizes.items() if not name.startswith("languages-")}
    print(sum(counted.values()), "bytes:", sizes)
    assert len(sizes) > len(counted) > 1
    assert sum(counted.values()) <= SHIPPED_BYTES
