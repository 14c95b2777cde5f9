import { existsSync } from "node:fs";
import { posix } from "node:path";
import { type Document, linesOutsideBlocks } from "./documents.ts";

const CODE = /(`+)(?:(?!\1).)+\1/g;
const LINK = /\]\(<?([^\s)>]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s+(\S+)|\b(?:href|src)="([^"]+)"/g;
const SCHEME = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;

/**
 * Finds the links of a document that lead nowhere: to a file that is not there, or to a heading that its document does not have. Links to
 * other hosts are not followed.
 *
 * @param documents - all documents, by whose headings anchors are looked up
 * @param root - the folder that their paths are relative to
 */
export function deadLinks(
  { path, text }: Document,
  documents: readonly Document[],
  root: string,
): string[] {
  const lines = linesOutsideBlocks(text).map((line) => line.replaceAll(CODE, ""));
  return lines.flatMap((line, index) =>
    [...line.matchAll(LINK)]
      .map(([, inline, reference, html]) => inline ?? reference ?? html ?? "")
      .filter((link) => !SCHEME.test(link) && !leadsSomewhere(link, path, documents, root))
      .map((link) => `${path}:${index + 1}: ${link}`),
  );
}

/** Finds the documents that a text names by their path from the root, such as `docs/cli.md#with-the-feature-off`, and that are not there. */
export function missingDocuments(
  { path, text }: Document,
  documents: readonly Document[],
  root: string,
): string[] {
  // If `docs/` is part of a longer path or of a URL, the path does not start at the root, so it is not matched.
  const named = text.matchAll(/(?<![\w./@-])docs\/[\w./-]*\.md(?:#[\w-]+)?/g);
  return [...named]
    .filter(([link]) => !leadsSomewhere(link, "README.md", documents, root))
    .map(([link]) => `${path}: ${link}`);
}

function leadsSomewhere(
  link: string,
  from: string,
  documents: readonly Document[],
  root: string,
): boolean {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? from : posix.join(posix.dirname(from), decodeURIComponent(file));
  if (target.startsWith("..") || !existsSync(posix.join(root, target))) return false;
  if (anchor === undefined) return true;
  const document = documents.find(({ path }) => path === target);
  return document !== undefined && anchorsOf(document.text).has(anchor);
}

/** The anchors that GitHub gives to the headings of a document. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const counts = new Map<string, number>();
  for (const line of linesOutsideBlocks(text)) {
    for (const [, id = ""] of line.matchAll(/<a (?:id|name)="([^"]+)">/g)) anchors.add(id);
    const [, heading] = /^#{1,6}\s+(.+?)\s*#*$/.exec(line) ?? [];
    if (heading === undefined) continue;
    const anchor = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-");
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    anchors.add(count === 0 ? anchor : `${anchor}-${count}`);
  }
  return anchors;
}
