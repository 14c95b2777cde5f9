import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createTestIdentityIssuer } from "@countersign/testing";
import { expect, onTestFinished, test } from "vitest";
import { countersign, output } from "./command-line.js";
import { freshWorld } from "./fresh-home.js";

const AUDIENCE = "https://authority.example";

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
  await writeFile(
    config,
    `[[oidc]]\nname = "staff"\nissuer = "${issuer}"\njwks_uri = "${issuer}/keys"\naudience = "${AUDIENCE}"\naccount = "acct-1"\n`,
    { mode: 0o600 },
  );
  const sign = (claims: object = {}) =>
    keys.sign({ iss: issuer, aud: AUDIENCE, sub: "ada", exp: 4_102_444_800, ...claims });
  return { args: ["authority", "oidc", "check", "--config", config], home, issuer, sign };
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

test("authority oidc check says whose a token is that is taken", async () => {
  const { args, home, sign } = await openIssuer();
  expect(await output(args, { home, input: `${sign()}\n` })).toBe(
    "oidc staff: taken, account acct-1, user staff:ada\n",
  );
});
