import type { Document } from "./documents.ts";

/** Words that a reader has to read twice, each with a plain one. The patterns are for prose, comments, titles of tests and texts for people. */
const AVOIDED: readonly RegExp[] = [
  // "is not valid", "there is no …"; "there is none" and "none of …" are plain.
  /(?<!\bthere )\b(?:is|are|was|were) none\b(?! of\b)/gi,
  // The caller, the client, the agent, the operator.
  /\bwho(?:m|se|so)?ever\b/gi,
  // As a subject, at the beginning of a sentence: any.
  /\bWhatever\b/g,
  // No caller, no client, no one.
  /\bnobody\b/gi,
  // Again.
  /\banew\b/gi,
  // Current; until then, previous.
  /\bof (?:now|then)\b/gi,
  // Until then, during it.
  /\bmeanwhile\b/gi,
  /\bthereof\b/gi,
  /\bshall\b/gi,
  // "it" of a program, "they" of a person.
  /\b(?:he|his|him|himself)\b/gi,
  // "is called with".
  /\bhears?\b/gi,
  // "has", "keeps".
  /\bknows? of\b/gi,
  // "returns whether", "says", "reports".
  /\btells\b/gi,
];

/** Finds the avoided words of a text, as `path:line: word`. */
export function avoidedWords({ path, text }: Document): string[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      AVOIDED.flatMap((pattern) => [...line.matchAll(pattern)]).map(
        ([word]) => `${path}:${index + 1}: ${word}`,
      ),
    );
}
