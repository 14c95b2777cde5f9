import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../../..");
const PEOPLE = ["*.md", "docs/**/*.md", "{examples,{apps,packages}/*}/README.md"];

/** A document or source file of this repository. */
export interface Document {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Reads the documents for people: those of the root, of `docs` and of the packages. */
export function readDocuments(): readonly Document[] {
  return readFiles(PEOPLE);
}

/** Reads the source and the tests, which name documents too. */
export function readSources(): readonly Document[] {
  return readFiles(["{apps,packages}/*/{src,test,checks}/**/*.{ts,mts}", "examples/*/*.{ts,mts}"]);
}

/** Reads the vector files of the protocol. */
export function readVectorFiles(): readonly Document[] {
  return readFiles(["packages/conformance/vectors/*.json"]);
}

/** Splits a text into what stands outside of fenced blocks and, in lines of the same number, nothing for what stands inside. */
export function linesOutsideBlocks(text: string): string[] {
  let fence: string | undefined;
  return text.split("\n").map((line) => {
    const [, mark] = /^\s*(```+|~~~+)/.exec(line) ?? [];
    if (fence === undefined && mark !== undefined) fence = mark;
    else if (fence === undefined) return line;
    else if (mark?.startsWith(fence)) fence = undefined;
    return "";
  });
}

function readFiles(patterns: readonly string[]): Document[] {
  const isOfOthers = (path: string) => /(?:^|\/)(?:node_modules|dist)$/.test(path);
  return globSync(patterns, { cwd: ROOT, exclude: isOfOthers })
    .map((path) => path.replaceAll("\\", "/"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}
