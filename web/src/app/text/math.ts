import katex from "katex";

/** MathML, which browsers draw with their own fonts: no style sheet and no font files to load. */
export function mathMarkup(text: string, display: boolean): string {
  return katex.renderToString(text, {
    displayMode: display,
    output: "mathml",
    throwOnError: false,
    trust: false,
    maxExpand: 200,
    maxSize: 20,
  });
}
