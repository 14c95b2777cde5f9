/** A fenced block of a Markdown document. */
export interface MarkdownBlock {
  /** The word behind the fence, for instance `ts`; empty if there is none. */
  readonly language: string;
  readonly text: string;
  /** The file that the paragraph before it names last, for instance `api.mts`. */
  readonly file: string | undefined;
}

/**
 * Reads the fenced blocks of a Markdown document in their order.
 *
 * @param section - the title of the section to read. Default: the whole document
 */
export function markdownBlocks(markdown: string, section?: string): readonly MarkdownBlock[] {
  const text = section === undefined ? markdown : sectionOf(markdown, section);
  const blocks: MarkdownBlock[] = [];
  let end = 0;
  for (const match of text.matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
    const [whole, language = "", content = ""] = match;
    const paragraph = text.slice(end, match.index).trim().split("\n\n").at(-1) ?? "";
    const names = [...paragraph.matchAll(/`([\w.-]+\.[a-z]+)`/g)].map(([, name]) => name);
    blocks.push({ language, text: content, file: names.at(-1) });
    end = match.index + whole.length;
  }
  return blocks;
}

function sectionOf(markdown: string, title: string): string {
  const [, section] = markdown.split(`\n## ${title}\n`);
  if (section === undefined) throw new Error(`no section ${title}`);
  return section.split("\n## ")[0] ?? "";
}
