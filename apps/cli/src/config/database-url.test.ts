import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createEnvironment } from "../home/environment.js";
import { CliError } from "../text/cli-error.js";
import { type DatabaseSources, findDatabaseUrl } from "./database-url.js";

const URL_ALONE = "postgres://countersign@db.example:5432/countersign";
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "database-url-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function find(sources: DatabaseSources, variables: NodeJS.ProcessEnv = {}) {
  return findDatabaseUrl(createEnvironment(variables), sources);
}

function fileWith(text: string): string {
  const file = join(folder, "secret");
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

describe("a password is no argument (G-A44)", () => {
  test.each([
    "postgres://u:s3cr3t@db.example/x",
    "postgresql://u:s3cr3t@db.example/x",
    "POSTGRES://u:s3cr3t@db.example/x",
    "postgres://db.example/x?password=s3cr3t",
    "postgres://u:s3cr3t/x@db.example:port/x",
    "postgres://u:s3cr3t%@db.example/x",
    "postgres://u:s3cr3t%ff@db.example/x",
    "postgres://u:s3cr3t@/x?host=/run/postgresql",
  ])("%s", async (option) => {
    const error = await find({ option }).catch((reason: unknown) => reason);
    expect(CliError.is(error) && error.code).toBe("usage");
    expect(`${error}`).not.toContain("s3cr3t");
  });
});

describe("refuses, without repeating what it is,", () => {
  test.each([
    { what: "a variable that is not set", option: "env:NOT_SET", says: "NOT_SET" },
    { what: "a variable with something else", option: "env:OTHER", says: "no database URL" },
    { what: "a file that is not there", option: "file:/does/not/exist", says: "does not exist" },
  ])("$what", async ({ option, says }) => {
    const error = await find({ option }, { OTHER: "s3cr3t" }).catch((reason: unknown) => reason);
    expect(String(error)).toContain(says);
    expect(String(error)).not.toContain("s3cr3t");
  });

  test("a file with something else, which may be any secret, and an empty one", async () => {
    const file = fileWith("s3cr3t\n");
    const error = await find({ option: `file:${file}` }).catch((reason: unknown) => reason);
    expect(String(error)).toContain("no database URL");
    expect(String(error)).not.toContain("s3cr3t");
    const sources = { option: URL_ALONE, passwordFile: fileWith("\n") };
    await expect(find(sources)).rejects.toThrow("is empty");
  });

  test("a file of more than 64 KiB", async () => {
    const option = `file:${fileWith("s".repeat(65_537))}`;
    await expect(find({ option })).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringContaining("holds more than 65536 bytes"),
    });
  });
});

test.each([
  "postgres://countersign@%2Frun%2Fpostgresql/countersign",
  "postgres://countersign@/countersign?host=/run/postgresql",
  "postgres:///countersign?host=/run/postgresql",
  "postgres://countersign@a.example:5432,b.example:5432/countersign",
])("a socket's folder or several hosts are no password: %s", async (option) => {
  expect(await find({ option })).toEqual({ url: option });
});

test("is not found if no source names one", async () => {
  expect(await find({})).toBeUndefined();
});

test("an argument wins over the configuration, that over COUNTERSIGN_DATABASE_URL", async () => {
  const variables = () => ({ COUNTERSIGN_DATABASE_URL: "sqlite:c.db" });
  expect(await find({ option: "sqlite:a.db", configured: "sqlite:b.db" }, variables())).toEqual({
    url: "sqlite:a.db",
  });
  expect(await find({ configured: "sqlite:b.db" }, variables())).toEqual({ url: "sqlite:b.db" });
  expect(await find({}, variables())).toEqual({ url: "sqlite:c.db" });
});

test("the URL may stand in a variable or a file, and may then hold a password", async () => {
  const url = "postgres://u:s3cr3t@db.example/x";
  const variables: NodeJS.ProcessEnv = { DATABASE_URL: url };
  expect(await find({ option: "env:DATABASE_URL" }, variables)).toEqual({ url });
  expect(variables).toEqual({});
  const found = await find({ option: `file:${fileWith(`${url}\n`)}` });
  expect(found?.url).toBe(url);
  expect(await found?.password?.()).toBe("s3cr3t");
});

test.each([
  ["postgres://u:p%40%2F@db.example/x", "p@/"],
  ["postgres://u:100%@db.example/x", "100%"],
  ["postgres://u:%40%zz@db.example/x", "@%zz"],
  ["postgres://u:a%ffb@db.example/x", "a%ffb"],
  ["postgres://u:p%40@/x?host=/run/postgresql", "p@"],
  ["postgres://u:a+b%26@/x?host=/run/postgresql&application_name=a@b", "a+b&"],
  ["postgres://u:100%@/x?host=/run/postgresql", "100%"],
  ["postgres://u@/x?host=/run/postgresql&password=p%40", "p@"],
])("a file with %s has the password %s", async (url, password) => {
  const found = await find({ option: `file:${fileWith(url)}` });
  expect(found?.url).toBe(url);
  expect(await found?.password?.()).toBe(password);
});

test("a driver that looks for a password file by itself is told where it is, never in the working directory", async () => {
  const variables: NodeJS.ProcessEnv = {};
  expect(await find({ option: URL_ALONE }, variables)).toEqual({ url: URL_ALONE });
  expect(variables.PGPASSFILE).toBe(join(homedir(), ".pgpass"));
  const named = { PGPASSFILE: "/run/pgpass" };
  await find({ option: URL_ALONE }, named);
  expect(named).toEqual({ PGPASSFILE: "/run/pgpass" });
});

test("a password comes from its file or PGPASSWORD, whatever characters it has (G-A44)", async () => {
  const password = "a%20b/c@d:e?f#g";
  for (const [sources, variables] of [
    [{ passwordFile: fileWith(`${password}\n`) }, {}],
    [{}, { COUNTERSIGN_DATABASE_PASSWORD_FILE: fileWith(password) }],
    [{}, { PGPASSWORD: password }],
  ] satisfies [DatabaseSources, NodeJS.ProcessEnv][]) {
    const found = await find({ option: URL_ALONE, ...sources }, variables);
    expect(found?.url).toBe(URL_ALONE);
    expect(await found?.password?.()).toBe(password);
    expect(variables).not.toHaveProperty("PGPASSWORD");
  }
});

test("a password's file is read each time that the password is asked for", async () => {
  for (const [form, sources] of [
    ["%s", { option: URL_ALONE, passwordFile: fileWith("first") }],
    ["postgres://u:%s@db.example/x", { option: `file:${join(folder, "secret")}` }],
  ] satisfies [string, DatabaseSources][]) {
    fileWith(form.replace("%s", "first"));
    const found = await find(sources);
    expect(await found?.password?.()).toBe("first");
    fileWith(form.replace("%s", "second"));
    expect(await found?.password?.()).toBe("second");
  }
});

test("without a password anywhere the URL stays as it is", async () => {
  expect(await find({ option: URL_ALONE })).toEqual({ url: URL_ALONE });
  expect(await find({ option: "sqlite:a.db" }, { PGPASSWORD: "s3cr3t" })).toEqual({
    url: "sqlite:a.db",
  });
});
