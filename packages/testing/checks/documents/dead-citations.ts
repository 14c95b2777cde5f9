import type { Document } from "./documents.ts";
import type { ProtocolDocument } from "./protocol-document.ts";

const SECTION = "§\\d+(?:\\.\\d+)?";
const RULE = "[A-Z]-\\d+";
// "protocol.md §3, §5.4", "`docs/protocol.md` §3 (ids), `§5` to §7", "[protocol](protocol.md) §9", "protocol V-4".
const NAME = "\\bprotocol(?:\\.md)?\\)?[`\\])]*(?:\\([\\w./-]*\\))?,? `?";
const NEXT = "`?(?: \\([^)]*\\))?(?:,|;| and| to) `?";
const CITATION = new RegExp(
  `${NAME}((?:${SECTION}|${RULE})(?:${NEXT}(?:${SECTION}|${RULE}))*)`,
  "g",
);
const REFERENCE = new RegExp(`(?<![\\w-])(?:${SECTION}|${RULE})(?![\\w-])`, "g");
const OF_RFC = /RFC \d+ §[\d.]+(?:(?:,| and) §[\d.]+)*/g;

/** Finds what a text cites of the protocol, a section or a rule, and the protocol does not have. */
export function deadCitations({ path, text }: Document, protocol: ProtocolDocument): string[] {
  return [...text.matchAll(CITATION)].flatMap(([whole, cited = ""]) =>
    missing(cited, protocol).map((reference) => `${path}: ${reference} in "${whole}"`),
  );
}

/** Finds the sections and rules that the protocol itself refers to and does not have. */
export function deadReferences(text: string, protocol: ProtocolDocument): string[] {
  return missing(text.replaceAll(OF_RFC, ""), protocol);
}

function missing(text: string, { sections, rules }: ProtocolDocument): string[] {
  return (text.match(REFERENCE) ?? []).filter((reference) =>
    reference.startsWith("§") ? !sections.has(reference.slice(1)) : !rules.includes(reference),
  );
}
