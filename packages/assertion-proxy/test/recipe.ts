import { readFileSync } from "node:fs";

const DOCUMENT = new URL("../../../docs/authorize.md", import.meta.url);

/**
 * Returns a block of code of docs/authorize.md, with other texts in places of its own: what is run is what people copy.
 *
 * @param language - of the block, the only one of its language
 * @param replacements - each must be there
 */
export function recipe(language: string, replacements: Readonly<Record<string, string>>): string {
  const text = readFileSync(DOCUMENT, "utf8");
  const block = text.split(`\`\`\`${language}\n`)[1]?.split("```")[0];
  if (block === undefined) throw new Error(`docs/authorize.md has no block of ${language}`);
  return Object.entries(replacements).reduce((done, [from, to]) => {
    if (!done.includes(from)) throw new Error(`the block of ${language} does not have: ${from}`);
    return done.replaceAll(from, to);
  }, block);
}
