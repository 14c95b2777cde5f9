import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { format, inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { HOLDERS } from "./shown-secrets/holders.js";
import { StoredOnly } from "./shown-secrets/make-holders.js";
import { NO_SECRET, SECRET_ITSELF } from "./shown-secrets/other-exports.js";
import { startSecretWorld } from "./shown-secrets/secret-world.js";

const PACKAGES = join(import.meta.dirname, "../../../packages");

/** Every value that a published package exports, as `package[/entry] name`. */
async function publicExports(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of await readdir(PACKAGES)) {
    const manifest = JSON.parse(await readFile(join(PACKAGES, folder, "package.json"), "utf8"));
    if (manifest.private === true) continue;
    for (const entry of Object.keys(manifest.exports)) {
      if (entry === "./package.json") continue;
      const exported: object = await import(`${manifest.name}${entry.slice(1)}`);
      const names = Object.keys(exported);
      found.push(...names.map((name) => `${folder}${entry.slice(1)} ${name}`));
    }
  }
  return found;
}

function listed(table: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(table).flatMap(([entry, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => `${entry} ${name}`),
  );
}

/** All that a program may print of a value without naming its secret. */
function printed(value: unknown): string {
  const isStored = value instanceof StoredOnly;
  const shown = isStored ? value.value : value;
  const everything = { showHidden: true, depth: Number.POSITIVE_INFINITY, maxArrayLength: null };
  const texts = [
    inspect(shown),
    inspect(shown, everything),
    format("%s %o %O", shown, shown, shown),
    String(shown),
  ];
  if (isStored) return texts.join("\n");
  return [...texts, toJson(shown), inspect({ ...Object(shown) }, everything)].join("\n");
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    // A cycle: nothing is serialised.
    return "";
  }
}

/** A value, and of an error also its own members and all causes. */
function partsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(partsOf);
  if (!(value instanceof Error)) return [value];
  return [value, structuredClone({ ...value }), value.message, value.stack, ...causeOf(value)];
}

function causeOf({ cause }: Error): readonly unknown[] {
  return cause === undefined ? [] : partsOf(cause);
}

describe("every public export", () => {
  test("is known to hold no secret, or is looked at (G-H10)", async () => {
    const known = [...Object.keys(HOLDERS), ...listed(NO_SECRET), ...listed(SECRET_ITSELF)];
    expect(known.toSorted()).toEqual((await publicExports()).toSorted());
  });

  test.each(Object.entries(HOLDERS))("shows no secret: %s (G-H10)", async (_, make) => {
    const world = await startSecretWorld();
    const made = await Promise.all([await make(world)].flat());
    for (const part of made.flatMap(partsOf)) expect(world.secretsIn(printed(part))).toEqual([]);
  });

  test("would be found out", async () => {
    const { key, human, secretsIn } = await startSecretWorld();
    const cause = new Error(human.accessToken);
    const shown = [human, { text: key.exportPkcs8() }, new Error("x", { cause })];
    for (const value of shown)
      expect(secretsIn(partsOf(value).map(printed).join())).not.toEqual([]);
    expect(secretsIn(inspect(Buffer.from(key.exportPkcs8(), "base64").subarray(-32)))).toHaveLength(
      1,
    );
  });
});
