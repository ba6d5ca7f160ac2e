import { describe, expect, it } from "vitest";
import { parseBlocks, parseInline, plainText, safeHref } from "../src/app/text/markdown.js";

const text = (value: string) => ({ kind: "text", text: value });

describe("inline", () => {
  it.each([
    ["**bold**", { kind: "bold", children: [text("bold")] }],
    ["*italic*", { kind: "italic", children: [text("italic")] }],
    ["_italic_", { kind: "italic", children: [text("italic")] }],
    ["~~gone~~", { kind: "strike", children: [text("gone")] }],
    ["`a*b*`", { kind: "code", text: "a*b*" }],
    ["$$x^2$$", { kind: "math", text: "x^2" }],
  ])("%s", (source, node) => expect(parseInline(source)).toEqual([node]));

  it.each(["2 * 3 * 4", "snake_case_name", "5 $ and 6 $", "a ** b", "<b>not markup</b>", "`", "**"])(
    "leaves %j as it is",
    (source) => expect(parseInline(source)).toEqual([text(source)]),
  );

  it("nests", () => {
    expect(parseInline("**a *b***")).toEqual([
      { kind: "bold", children: [text("a "), { kind: "italic", children: [text("b")] }] },
    ]);
  });

  it("keeps the end of a sentence out of an address", () => {
    const [, link, rest] = parseInline("See https://example.org/a_b_c.");
    expect(link).toMatchObject({ kind: "link", href: "https://example.org/a_b_c" });
    expect(rest).toEqual(text("."));
  });

  it("keeps brackets that belong to an address", () => {
    expect(parseInline("https://example.org/Fraction_(maths)")).toMatchObject([
      { kind: "link", href: "https://example.org/Fraction_(maths)" },
    ]);
  });
});

describe("links", () => {
  it.each(["https://example.org/", "http://example.org/", "mailto:office@example.org"])(
    "may lead to %s",
    (href) => expect(safeHref(href)).toBe(href),
  );

  it.each([
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "/relative",
    "java\nscript:alert(1)",
  ])("may not lead to %j", (href) => expect(safeHref(href)).toBeNull());

  it("that may not be followed stay text", () => {
    expect(parseInline("[x](javascript:alert(1))")).toEqual([text("[x](javascript:alert(1))")]);
  });
});

describe("blocks", () => {
  it("tells paragraphs, lists, quotes, code and maths apart", () => {
    const source = "one\ntwo\n\n- a\n- b\n\n3. c\n\n> q\n\n```py\nx = *1*\n```\n```math\n\\frac{1}{2}\n```";
    expect(parseBlocks(source)).toEqual([
      { kind: "paragraph", children: [text("one\ntwo")] },
      { kind: "list", ordered: false, start: 1, items: [[text("a")], [text("b")]] },
      { kind: "list", ordered: true, start: 3, items: [[text("c")]] },
      { kind: "quote", children: [text("q")] },
      { kind: "code", language: "py", text: "x = *1*" },
      { kind: "math", text: "\\frac{1}{2}" },
    ]);
  });

  it("takes an unclosed fence to the end", () => {
    expect(parseBlocks("```\nx")).toEqual([{ kind: "code", language: "", text: "x" }]);
  });

  it("reads a message of the greatest length in a moment, whatever is in it", () => {
    const started = performance.now();
    for (const piece of ["**a ", "`", "_a ", "[a](", "> ", "$$a", "~~", "*", "http://"]) {
      parseBlocks(piece.repeat(Math.floor(8000 / piece.length)));
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("plain text", () => {
  it("is what a preview shows", () => {
    expect(plainText("**Hi** [there](https://example.org)\n\n- a\n- b")).toBe("Hi there a · b");
  });
});
