import { Copy } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { memo } from "./memo.js";
import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n/index.js";
import { me, say } from "../store.js";
import { IconButton } from "../ui/IconButton.js";
import { type Block, type Inline, parseBlocks } from "./markdown.js";
import { type Person, splitMentions } from "./mentions.js";

interface Props {
  body: string;
  mentions: readonly Person[];
}

/** A message's text. Everything in it is drawn as text nodes, so markup in a body stays text. */
export const Markdown = memo(
  function Markdown({ body, mentions }: Props) {
    const blocks = parseBlocks(body);
    const jumbo = isJumbo(body);
    return (
      <div class={`markdown ${jumbo ? "jumbo" : ""}`} dir="auto">
        {blocks.map((block, i) => (
          <BlockView block={block} mentions={mentions} key={i} />
        ))}
      </div>
    );
  },
  (a, b) =>
    a.body === b.body && a.mentions.map((p) => p.name).join() === b.mentions.map((p) => p.name).join(),
);

/** One to three emoji alone are shown large. */
function isJumbo(body: string): boolean {
  return (
    body.length <= 24 &&
    /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D\p{Extended_Pictographic}|\p{EMod})*\s*){1,3}$/u.test(body)
  );
}

function BlockView({ block, mentions }: { block: Block; mentions: readonly Person[] }) {
  const inline = (nodes: readonly Inline[]) => <InlineView nodes={nodes} mentions={mentions} />;
  switch (block.kind) {
    case "paragraph":
      return <p>{inline(block.children)}</p>;
    case "quote":
      return <blockquote>{inline(block.children)}</blockquote>;
    case "code":
      return <CodeBlock language={block.language} text={block.text} />;
    case "math":
      return <MathView text={block.text} display />;
    case "list": {
      const items = block.items.map((item, i) => <li key={i}>{inline(item)}</li>);
      return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
  }
}

function InlineView({ nodes, mentions }: { nodes: readonly Inline[]; mentions: readonly Person[] }) {
  return <>{nodes.map((node, i) => inlineNode(node, mentions, i))}</>;
}

function inlineNode(node: Inline, mentions: readonly Person[], key: number): ComponentChildren {
  switch (node.kind) {
    case "text":
      return <Mentioned text={node.text} mentions={mentions} key={key} />;
    case "code":
      return <code key={key}>{node.text}</code>;
    case "math":
      return <MathView text={node.text} key={key} />;
    case "link":
      return (
        <a href={node.href} target="_blank" rel="noopener noreferrer nofollow" key={key}>
          <InlineView nodes={node.children} mentions={[]} />
        </a>
      );
    default: {
      const Tag = ({ bold: "strong", italic: "em", strike: "s" } as const)[node.kind];
      return (
        <Tag key={key}>
          <InlineView nodes={node.children} mentions={mentions} />
        </Tag>
      );
    }
  }
}

function Mentioned({ text, mentions }: { text: string; mentions: readonly Person[] }) {
  return (
    <>
      {splitMentions(text, mentions).map(({ text: part, id }, i) =>
        id === undefined ? (
          part
        ) : (
          <span class={`mention ${id === me() ? "mention-me" : ""}`} key={i}>
            {part}
          </span>
        ),
      )}
    </>
  );
}

/** Markup made by a lazily loaded library from text it escapes itself; null until it is there. */
function useRendered(render: () => Promise<string>, deps: readonly unknown[]): string | null {
  const [html, setHtml] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    render().then(
      (made) => wanted && setHtml(made),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, deps);
  return html;
}

function CodeBlock({ language, text }: { language: string; text: string }) {
  const html = useRendered(
    async () =>
      language === ""
        ? Promise.reject(new Error("plain"))
        : (await import("./code.js")).highlight(text, language),
    [text, language],
  );
  const copy = () => void navigator.clipboard.writeText(text).then(() => say(t().message.copied));
  return (
    <div class="code-block">
      <IconButton icon={Copy} label={t().common.code} class="code-copy" onClick={copy} />
      <pre dir="ltr" tabIndex={0}>
        {html === null ? <code>{text}</code> : <code dangerouslySetInnerHTML={{ __html: html }} />}
      </pre>
    </div>
  );
}

function MathView({ text, display = false }: { text: string; display?: boolean }) {
  const html = useRendered(
    async () => (await import("./math.js")).mathMarkup(text, display),
    [text, display],
  );
  if (html === null) return <code>{text}</code>;
  const Tag = display ? "div" : "span";
  return <Tag class="math" dir="ltr" dangerouslySetInnerHTML={{ __html: html }} />;
}
