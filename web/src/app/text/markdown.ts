/** Markdown-lite: what people write in a chat, and nothing that could be markup. The result is data; drawing escapes. */

export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "math"; readonly text: string }
  | { readonly kind: "link"; readonly href: string; readonly children: readonly Inline[] }
  | { readonly kind: "bold" | "italic" | "strike"; readonly children: readonly Inline[] };

export type Block =
  | { readonly kind: "paragraph" | "quote"; readonly children: readonly Inline[] }
  | {
      readonly kind: "list";
      readonly ordered: boolean;
      readonly start: number;
      readonly items: readonly (readonly Inline[])[];
    }
  | { readonly kind: "code"; readonly language: string; readonly text: string }
  | { readonly kind: "math"; readonly text: string };

const FENCE = /^\s{0,3}(```+|~~~+)\s*([\w+#.-]*)\s*$/;
const BULLET = /^\s{0,3}[-*+]\s+(.*)$/;
const NUMBER = /^\s{0,3}(\d{1,9})[.)]\s+(.*)$/;
const QUOTE = /^\s{0,3}>\s?(.*)$/;
const MATHS = new Set(["math", "latex", "katex"]);

export function parseBlocks(source: string): Block[] {
  const lines = source.replace(/\r\n?/g, "\n").split("\n");
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = readBlock(lines, at);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

type Read = [block: Block | null, next: number];

function readBlock(lines: readonly string[], at: number): Read {
  const line = lines[at] ?? "";
  if (line.trim() === "") return [null, at + 1];
  const fence = FENCE.exec(line);
  if (fence) return readFence(lines, at, fence[1] ?? "```", fence[2] ?? "");
  if (QUOTE.test(line)) return readQuote(lines, at);
  if (BULLET.test(line)) return readList(lines, at, BULLET, false, 1);
  const number = NUMBER.exec(line);
  if (number) return readList(lines, at, NUMBER, true, Number(number[1]));
  return readParagraph(lines, at);
}

function readFence(lines: readonly string[], at: number, mark: string, language: string): Read {
  const isEnd = (line: string) =>
    line.trim().startsWith(mark) && line.trim().replaceAll(mark[0] ?? "", "") === "";
  let end = at + 1;
  while (end < lines.length && !isEnd(lines[end] ?? "")) end++;
  const text = lines.slice(at + 1, end).join("\n");
  if (MATHS.has(language)) return [{ kind: "math", text }, end + 1];
  return [{ kind: "code", language, text }, end + 1];
}

function readQuote(lines: readonly string[], at: number): Read {
  const quoted: string[] = [];
  let next = at;
  for (
    let hit = QUOTE.exec(lines[next] ?? "");
    hit && next < lines.length;
    hit = QUOTE.exec(lines[next] ?? "")
  ) {
    quoted.push(hit[1] ?? "");
    next++;
  }
  return [{ kind: "quote", children: parseInline(quoted.join("\n")) }, next];
}

function readList(lines: readonly string[], at: number, mark: RegExp, ordered: boolean, start: number): Read {
  const items: Inline[][] = [];
  let next = at;
  for (
    let hit = mark.exec(lines[next] ?? "");
    hit && next < lines.length;
    hit = mark.exec(lines[next] ?? "")
  ) {
    items.push(parseInline(hit.at(-1) ?? ""));
    next++;
  }
  return [{ kind: "list", ordered, start, items }, next];
}

function readParagraph(lines: readonly string[], at: number): Read {
  let next = at + 1;
  while (next < lines.length && continues(lines[next] ?? "")) next++;
  return [{ kind: "paragraph", children: parseInline(lines.slice(at, next).join("\n")) }, next];
}

function continues(line: string): boolean {
  return line.trim() !== "" && ![FENCE, BULLET, NUMBER, QUOTE].some((mark) => mark.test(line));
}

const BARE_LINK = /https?:\/\/[^\s<>"']+/;
const TOKENS: readonly { pattern: RegExp; make: (hit: RegExpExecArray) => Inline | null }[] = [
  {
    pattern: /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/,
    make: (hit) => ({ kind: "code", text: group(hit, 2).trim() || group(hit, 2) }),
  },
  { pattern: /\$\$([^$\n]+)\$\$/, make: (hit) => ({ kind: "math", text: group(hit, 1) }) },
  { pattern: /\[([^\]\n]+)\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)/, make: makeLink },
  { pattern: BARE_LINK, make: makeBareLink },
  { pattern: /\*\*(?=\S)([\s\S]*?\S)\*\*(?!\*)/, make: nested("bold") },
  { pattern: /__(?=\S)([^_]*?\S)__(?!\w)/, make: nested("bold") },
  { pattern: /\*(?=[^\s*])([^*\n]*?[^\s*])\*(?!\*)/, make: nested("italic") },
  { pattern: /(?<!\w)_(?=\S)([^_\n]*?\S)_(?!\w)/, make: nested("italic") },
  { pattern: /~~(?=\S)([\s\S]*?\S)~~/, make: nested("strike") },
];

export function parseInline(source: string): Inline[] {
  const out: Inline[] = [];
  let rest = source;
  while (rest !== "") {
    const hit = firstToken(rest);
    if (!hit) return [...out, { kind: "text", text: rest }];
    if (hit.index > 0) out.push({ kind: "text", text: rest.slice(0, hit.index) });
    out.push(hit.node);
    rest = rest.slice(hit.index + hit.length);
  }
  return out;
}

/** The address if it is one that a message may lead to. Scripts, files and the like are not. */
export function safeHref(address: string): string | null {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Plain text of a message, for previews and announcements. */
export function plainText(source: string): string {
  return parseBlocks(source).map(blockText).join(" ").replace(/\s+/g, " ").trim();
}

function firstToken(source: string): { index: number; length: number; node: Inline } | null {
  let best: { index: number; length: number; node: Inline } | null = null;
  for (const { pattern, make } of TOKENS) {
    const hit = pattern.exec(source);
    if (!hit || (best && hit.index >= best.index)) continue;
    const node = make(hit);
    if (node) best = { index: hit.index, length: lengthOf(hit, node), node };
  }
  return best;
}

function lengthOf(hit: RegExpExecArray, node: Inline): number {
  return hit[0].startsWith("http") && node.kind === "link" ? inlineText(node).length : hit[0].length;
}

function nested(kind: "bold" | "italic" | "strike") {
  return (hit: RegExpExecArray): Inline => ({ kind, children: parseInline(group(hit, 1)) });
}

function makeLink(hit: RegExpExecArray): Inline | null {
  const href = safeHref(group(hit, 2));
  return href ? { kind: "link", href, children: [{ kind: "text", text: group(hit, 1) }] } : null;
}

/** A full stop or bracket after an address belongs to the sentence. */
function makeBareLink(hit: RegExpExecArray): Inline | null {
  let text = hit[0].replace(/[.,:;!?*_~]+$/, "");
  if (text.endsWith(")") && !text.includes("(")) text = text.slice(0, -1);
  const href = safeHref(text);
  return href ? { kind: "link", href, children: [{ kind: "text", text }] } : null;
}

function group(hit: RegExpExecArray, index: number): string {
  return hit[index] ?? "";
}

function blockText(block: Block): string {
  if (block.kind === "code" || block.kind === "math") return block.text;
  if (block.kind === "list") return block.items.map((item) => item.map(inlineText).join("")).join(" · ");
  return block.children.map(inlineText).join("");
}

function inlineText(node: Inline): string {
  return "children" in node ? node.children.map(inlineText).join("") : node.text;
}
