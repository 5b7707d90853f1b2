import { describe, expect, it } from "vitest";
import { GrowingMarkdown } from "./parser";

const whole = (text: string) => new GrowingMarkdown().blocksOf(text, true);

const EVERYTHING = `# Title

A paragraph with **bold**, \`code\`, [a link][later] and $x^2$
over two lines.

1. one

   still one
2. two
   - nested

> quoted
lazily

| a | b |
| --: | :-: |
| 1 | 2 |

$$
x = 1

+ 2
$$

\`\`\`python
def f():

    return 1
\`\`\`

    indented

Setext
======

[later]: https://example.org
- [x] done
- [ ] to do
`;

describe("GrowingMarkdown", () => {
  it("gives the same result as the whole text, however it is split", () => {
    for (const step of [1, 7, 64]) {
      const growing = new GrowingMarkdown();
      for (let end = 0; end < EVERYTHING.length; end += step) growing.blocksOf(EVERYTHING.slice(0, end), false);
      expect(growing.blocksOf(EVERYTHING, true)).toEqual(whole(EVERYTHING));
    }
  });

  it.each([
    ["\\n", "\n"],
    ["\\r\\n", "\r\n"],
    ["\\r", "\r"],
  ])("shows what there is at every point as if that were all, but for later links; lines end with %s", (_, end) => {
    const text = EVERYTHING.replace("[a link][later]", "[a link](https://example.org)").replaceAll("\n", end);
    const growing = new GrowingMarkdown();
    for (let end = 1; end <= text.length; end += 1) {
      const soFar = text.slice(0, end);
      expect(growing.blocksOf(soFar, false), soFar).toEqual(whole(soFar));
    }
  });

  it.each([
    ["$$x$$", ["display:x"]],
    ["$$\nx\n\ny\n$$", ["display:x\n\ny"]],
    ["$$x$$ where x.\n\nMore", ["display:x where x.", "More"]],
    ["$$ x $$.\n\nMore", ["display:x.", "More"]],
    ["$$x$$, $$y$$", ["display:x, display:y"]],
    ["$$\nx\n$$ where x.\n\nMore", ["display:x where x.", "More"]],
    ["So $$x$$ is\n\nMore", ["So display:x is", "More"]],
    ["So \\[x\\] is", ["So display:x is"]],
    ["\\[x\\] where x.\n\n\\[y\\]", ["display:x where x.", "display:y"]],
    ["\\[\nx\n\\]\n\nMore", ["display:x", "More"]],
    ["So\n$$x$$\nis", ["So", "display:x", "is"]],
    ["- So $$x$$\n- $$y$$ is", ["So display:x\ndisplay:y is"]],
    ["1. So:\n   $$\n   x\n   $$\n2. y", ["So:display:x\ny"]],
    ["> $$x$$\n\nMore", ["display:x", "More"]],
    ["$$\nx", ["display:x"]],
    ["It is $5, or $$.", ["It is $5, or $$."]],
    ["`$$x$$` and \\\\[x]", ["$$x$$ and \\[x]"]],
    ["    $$x$$", ["$$x$$"]],
  ])("finds the formulas in %j", (text, blocks) => {
    const shown = whole(text).map((html) =>
      html.replace(/<span data-formula="(\w+)">/g, "$1:").replace(/<[^>]*>/g, ""),
    );
    expect(shown.map((block) => block.replace(/\n+/g, (lines) => (lines.length > 1 ? "\n\n" : "\n")).trim())).toEqual(
      blocks,
    );
  });

  it("starts over with another text", () => {
    const growing = new GrowingMarkdown();
    growing.blocksOf("one\n\ntwo\n\nthree", false);
    expect(growing.blocksOf("other\n\ntext", false)).toEqual(whole("other\n\ntext"));
  });

  it("leaves HTML as text", () => {
    expect(whole("<img src=x onerror=alert(1)> <b>bold</b>").join("")).not.toMatch(/<(img|b)\b/);
  });

  it("turns pictures into links, so that nothing is fetched", () => {
    expect(whole("![a cat](https://example.org/cat.png)")).toEqual([
      '<p><a href="https://example.org/cat.png">a cat</a></p>\n',
    ]);
  });

  it.each(["javascript:alert(1)", "vbscript:x", "data:text/html,x", "file:///etc/passwd"])(
    "does not link to %s",
    (address) => {
      expect(whole(`[click](${address})`).join("")).not.toContain("href");
    },
  );

  it.each([
    ["$x$", "inline"],
    ["\\(x\\)", "inline"],
    ["$$\nx\n$$", "display"],
    ["\\[\nx\n\\]", "display"],
  ])("takes %s for a formula", (text, kind) => {
    expect(whole(text).join("")).toContain(`data-formula="${kind}">`);
  });

  it("reads neither prices as formulas nor file names as links", () => {
    expect(whole("between $5 and $10, see notes.md").join("")).toBe("<p>between $5 and $10, see notes.md</p>\n");
  });

  it("marks cell alignment as data, not as style", () => {
    const table = whole("| a | b |\n| --: | :-: |\n| 1 | 2 |").join("");
    expect(table).toContain('<td data-align="right">1</td>');
    expect(table).not.toContain("style");
  });
});
