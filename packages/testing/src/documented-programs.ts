import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A program in a document: a fenced block of a programming language or of a shell. */
export interface DocumentedProgram {
  /** Path of the document. */
  readonly document: string;
  readonly language: string;
  readonly text: string;
  /** Path of the example with this text, which is compiled with the tests of `examples/`; `undefined`: there is none. */
  readonly example: string | undefined;
}

/**
 * Reads every program in the documents of a repository.
 *
 * @param root - the repository; paths are relative to it
 */
export function readDocumentedPrograms(root: string): readonly DocumentedProgram[] {
  const find = (...patterns: string[]) => findFiles(root, patterns);
  const examples = new Map(
    find("examples/*/*")
      .filter((path) => dirname(path) !== "examples/test")
      .map((path) => [readFileSync(join(root, path), "utf8").trim(), path]),
  );
  const documents = find("README.md", "apps/*/README.md", "packages/*/README.md", "docs/**/*.md");
  return documents.flatMap((document) =>
    [
      ...readFileSync(join(root, document), "utf8").matchAll(
        /^```(ts|mts|js|sh|bash|py)\n(.*?)^```$/gms,
      ),
    ].map(([, language = "", text = ""]) => {
      return { document, language, text, example: examples.get(text.trim()) };
    }),
  );
}

/** Finds files of a repository, sorted, without what is built or installed. */
export function findFiles(root: string, patterns: readonly string[]): readonly string[] {
  const exclude = (path: string) => /(?:^|\/)(?:node_modules|dist)$/.test(path);
  return globSync(patterns, { cwd: root, exclude }).sort();
}
