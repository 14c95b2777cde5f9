// Prints what the documents are like for their readers: links that lead nowhere, documents that are named and missing, guarantees without a test (all
// must be 0), words that a reader has to read twice, the longest table cells, and the size of each package's README. Ends with 1 if one is not 0.
//
//   pnpm documents
import { join } from "node:path";
import { avoidedWords } from "./documents/avoided-words.ts";
import { deadLinks, missingDocuments } from "./documents/dead-links.ts";
import { readDocuments, readSources } from "./documents/documents.ts";
import { statedGuarantees, testedGuarantees } from "./documents/guarantees.ts";
import { cellsOf, LONGEST_CELL } from "./documents/long-cells.ts";

const ROOT = join(import.meta.dirname, "../../..");
const LONGEST = 10;

const documents = readDocuments();
const dead = documents.flatMap((document) => deadLinks(document, documents, ROOT));
const missing = documents.flatMap((document) => missingDocuments(document, documents, ROOT));
const sources = readSources();
const named = sources
  .filter(({ path }) => !path.endsWith("documents/documents.test.ts"))
  .flatMap((source) => missingDocuments(source, documents, ROOT));
console.log(`links that lead nowhere: ${dead.length}`);
for (const link of dead) console.log(`  ${link}`);
console.log(`documents that are named and missing: ${missing.length + named.length}`);
for (const name of [...missing, ...named]) console.log(`  ${name}`);

const stated = statedGuarantees(
  documents.find(({ path }) => path === "docs/guarantees.md")?.text ?? "",
);
const tests = sources.filter(
  ({ path }) => path.endsWith(".test.ts") && !path.endsWith("documents/guarantees.test.ts"),
);
const tested = new Set(tests.flatMap(testedGuarantees));
const untested = stated.filter((id) => !tested.has(id));
console.log(`guarantees: ${stated.length}, without a test: ${untested.length}`);
for (const id of untested) console.log(`  ${id}`);

const avoided = [...documents, ...sources].flatMap(avoidedWords);
console.log(`avoided words, each of them an exception of the test: ${avoided.length}`);
for (const word of avoided) console.log(`  ${word}`);

const cells = documents.flatMap(({ path, text }) =>
  cellsOf(text).map(({ length, line }) => ({ length, place: `${path}:${line}` })),
);
console.log(`\nlongest table cells, of at most ${LONGEST_CELL} characters:`);
for (const { length, place } of cells.sort((a, b) => b.length - a.length).slice(0, LONGEST)) {
  printRow(length, place);
}

console.log("\nbytes of each package's README:");
for (const { path, text } of documents.filter(({ path }) => /^(apps|packages)\//.test(path))) {
  printRow(Buffer.byteLength(text), path);
}

const faults = [dead, missing, named, untested].flat().length;
process.exitCode = faults === 0 ? 0 : 1;

function printRow(count: number, what: string): void {
  console.log(`${String(count).padStart(8)}  ${what}`);
}
