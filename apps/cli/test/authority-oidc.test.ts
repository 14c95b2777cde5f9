import { once } from "node:events";
import { appendFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createTestIdentityIssuer } from "@countersign/testing";
import { expect, onTestFinished, test } from "vitest";
import { countersign, expectError, output } from "./command-line.js";
import { freshWorld } from "./fresh-home.js";

const AUDIENCE = "https://authority.example";

const issuerTable = (name: string, issuer: string) =>
  `[[oidc]]\nname = "${name}"\nissuer = "${issuer}"\njwks_uri = "${issuer}/keys"\naudience = "${AUDIENCE}"\naccount = "acct-1"\n`;

async function openIssuer() {
  const { home, folder } = await freshWorld();
  const keys = createTestIdentityIssuer();
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(keys.keySet));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = join(folder.path, "authority.toml");
  await writeFile(config, issuerTable("staff", issuer), { mode: 0o600 });
  const sign = (claims: object = {}) =>
    keys.sign({ iss: issuer, aud: AUDIENCE, sub: "ada", exp: 4_102_444_800, ...claims });
  return { args: ["authority", "oidc", "check", "--config", config], config, home, issuer, sign };
}

test("authority oidc check says what an issuer's token lacks, and never the token", async () => {
  const { args, home, issuer, sign } = await openIssuer();
  for (const [claims, says] of [
    [
      { aud: "https://other.example" },
      `oidc staff: audience: seen "https://other.example", expected ${AUDIENCE}`,
    ],
    [{ iss: `${issuer}/` }, `oidc staff: issuer iss: seen "${issuer}/", expected ${issuer}`],
    [{ sub: undefined }, "oidc staff: user sub: seen nothing"],
  ] as const) {
    const token = sign(claims);
    const result = await countersign(args, { home, input: token });
    expect(result.code).not.toBe(0);
    expect(result.stdout).toContain(says);
    for (const part of token.split(".")) expect(result.stdout + result.stderr).not.toContain(part);
  }
});

test("an issuer's table that lacks a key is refused with its name, and a text in place of a list with the form of one", async () => {
  const { args, config, home, issuer } = await openIssuer();
  const table = issuerTable("staff", issuer);
  for (const [text, says] of [
    [table.replace(/^account.*$/m, ""), "audience and account, and has no account"],
    [`trusted_proxies = "127.0.0.1"\n${table}`, "`trusted_proxies` must be a list, such as ["],
  ] as const) {
    await writeFile(config, text, { mode: 0o600 });
    const result = await countersign(args, { home, input: "token" });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain(says);
  }
});

test("authority oidc check says which URL gives no keys, and why", async () => {
  const { args, config, home, sign } = await openIssuer();
  const token = sign({ iss: "http://127.0.0.1:1" });
  await writeFile(config, issuerTable("staff", "http://127.0.0.1:1"), { mode: 0o600 });
  const result = await countersign(args, { home, input: token });
  expectError(result, "unreachable", 5);
  expect(result.stderr).toMatch(/^error: the issuer staff .*: (?:bad port|ECONNREFUSED) /m);
  expect(result.stderr).toContain("hint: check jwks_uri (http://127.0.0.1:1/keys)");
});

test("authority oidc check distinguishes a text that is not a token, or too long for one, from another issuer's token", async () => {
  const { args, home, issuer, sign } = await openIssuer();
  const isOther = `issuer iss: seen "${"a".repeat(199)}, expected ${issuer}\n`;
  for (const [token, says] of [
    ["opaque", 'malformed: seen "1 part", expected a signed JWT'],
    ["a.b.c", 'malformed: seen "3 parts", expected a signed JWT'],
    ["a.b.c.d.e", 'malformed: seen "5 parts", expected a signed JWT'],
    [sign({ filler: "a".repeat(32_768) }), "length: seen 4"],
    [sign({ iss: undefined }), `issuer iss: seen nothing, expected ${issuer}`],
    [sign({ iss: "a".repeat(300) }), isOther],
  ] as const) {
    const { code, stdout } = await countersign(args, { home, input: token });
    expect(code).not.toBe(0);
    expect(stdout).toContain(`oidc staff: ${says}`);
  }
});

test.each([
  ["one name", "staff", "https://other.example"],
  ["one URL", "other", undefined],
])("authority oidc check refuses issuers of %s, as authority serve does", async (_, name, url) => {
  const { args, config, home, issuer, sign } = await openIssuer();
  await appendFile(config, issuerTable(name, url ?? issuer));
  const result = await countersign([...args, "--json"], { home, input: sign() });
  expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: "config_invalid" } });
});

test("authority oidc check refuses claims to keep that are no list of names", async () => {
  const { args, config, home, issuer } = await openIssuer();
  const table = issuerTable("staff", issuer);
  for (const keep of ['"run_id"', '["run id"]', "[7]", "{}"]) {
    await writeFile(config, `${table}keep_claims = ${keep}\n`, { mode: 0o600 });
    expectError(await countersign(args, { home, input: "token" }), "config_invalid", 2);
  }
});

test("authority oidc check says which claims of a token are kept, each in quotes and without what a terminal acts upon", async () => {
  const { args, config, home, sign } = await openIssuer();
  await appendFile(config, 'keep_claims = ["run_id", "workflow", "ref"]\n');
  const claims = { run_id: 7, workflow: 'x", ref="refs/heads/main\u202e', sha: "other" };
  const input = sign(claims);
  expect(await output(args, { home, input })).toBe(
    'oidc staff: taken, account acct-1, user staff:ada, keeps run_id="7", workflow="x\\", ref=\\"refs/heads/main\\u202e"\n',
  );
  const { checks } = JSON.parse(await output([...args, "--json"], { home, input }));
  expect(checks).toMatchObject([{ claims: { run_id: "7", workflow: claims.workflow } }]);
});

test("authority oidc check says whose a token is that is taken", async () => {
  const { args, home, sign } = await openIssuer();
  expect(await output(args, { home, input: `${sign()}\n` })).toBe(
    "oidc staff: taken, account acct-1, user staff:ada\n",
  );
});
