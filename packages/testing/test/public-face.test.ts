import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { entriesOf, publicPackages } from "../checks/api-reports/package-entries.ts";

const ROOT = join(import.meta.dirname, "../../..");
const ENTRIES = publicPackages(ROOT)
  .flatMap(entriesOf)
  .map(({ specifier, report }) => ({ specifier, text: readFileSync(report, "utf8") }));
// A signature of any message has its nonce as a parameter, and the vectors say which.
const TAKES_A_NONCE = "@countersign/agent-key/message-signature";

test("no entry of a package has more than 80 names", () => {
  expect(ENTRIES.length).toBeGreaterThan(30);
  const fullest = ENTRIES.map(
    ({ specifier, text }) => [text.match(/^export /gm)?.length ?? 0, specifier] as const,
  ).filter(([names]) => names > 80);
  expect(fullest).toEqual([]);
});

test("no option is there for tests alone: timers, randomness, pauses, a nonce", () => {
  expect(ENTRIES.length).toBeGreaterThan(30);
  const found = ENTRIES.flatMap(({ specifier, text }) =>
    [...text.matchAll(/^ +readonly (timers|random|randomBytes|wait|sleep|nonce)\?:/gm)]
      .map(([, name]) => `${specifier} ${name}`)
      .filter((option) => option !== `${TAKES_A_NONCE} nonce`),
  );
  expect(found).toEqual([]);
});
