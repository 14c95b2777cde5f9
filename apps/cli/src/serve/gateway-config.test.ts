import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createEnvironment } from "../home/environment.js";
import { CliError } from "../text/cli-error.js";
import {
  GATEWAY_KEYS,
  type GatewaySwitches,
  gatewayLimitsOf,
  loadGatewaySettings,
  withSettings,
} from "./gateway-config.js";

let folder: string;
let file: string;
let warnings: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gateway-config-"));
  file = join(folder, "gateway.toml");
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function load(toml: string | undefined, variables: NodeJS.ProcessEnv = {}) {
  if (toml !== undefined) writeFileSync(file, toml, { mode: 0o600 });
  const config = toml === undefined ? undefined : file;
  return loadGatewaySettings(createEnvironment(variables), config, (it) => warnings.push(it));
}

async function expectRefused(loading: Promise<unknown>, ...says: string[]): Promise<void> {
  const error = await loading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!CliError.is(error)) throw new Error(`not refused: ${String(error)}`);
  expect(error.code).toBe("config_invalid");
  const text = `${error.message}\n${error.hint}`;
  for (const words of says) expect(text).toContain(words);
  expect(text).not.toContain("s3cr3t");
}

const UPSTREAM = '[[upstream]]\nurl = "https://api.example"\n';

describe("refuses, naming where it stands,", () => {
  test.each([
    ["two upstreams", UPSTREAM + UPSTREAM, "there are 2 [[upstream]]", "one gateway for each"],
    ["an upstream that is no list", '[upstream]\nurl = "https://x"', "write [[upstream]]"],
    ["an upstream that is a text", 'upstream = "https://x"', "a list of tables"],
    ["two tables of limits", "[[limits]]\n[[limits]]\n", "2 [[limits]]", "write all limits into"],
    ["an unknown key", 'acounts = ["a"]', "did you mean accounts?"],
    ["an unknown key of the upstream", '[[upstream]]\nurll = "x"', "did you mean upstream.url?"],
    ["an account that is not valid", 'accounts = ["a b"]', "gateway.toml: `accounts`"],
    ["a secret in place of its source", 'authority_token = "s3cr3t"', "env:VAR or file:PATH"],
    ["a secret in a header", '[[upstream]]\nheaders = ["A: s3cr3t"]', "`upstream.headers`"],
    ["an upstream that is no URL", '[[upstream]]\nurl = "api"', "gateway.toml: `upstream.url`"],
    ["a delay that is too long", 'revocation_delay = "31s"', "gateway.toml: `revocation_delay`"],
    ["a number as a duration", "[[upstream]]\nidle_timeout = 5", "`upstream.idle_timeout`"],
    ["a limit of nothing", "[limits]\nrequests = 0", "`limits.requests`", "from 1"],
  ])("%s", async (_, toml, ...says) => {
    await expectRefused(load(toml), ...says);
  });

  test("a variable that is nearly one", async () => {
    const variables = { COUNTERSIGN_GATEWAY_ACOUNTS: "a" };
    await expectRefused(load(undefined, variables), "did you mean COUNTERSIGN_GATEWAY_ACCOUNTS?");
  });

  test("a file that every user can write, and one with a password that others can read", async () => {
    writeFileSync(file, "");
    chmodSync(file, 0o666);
    const read = () => loadGatewaySettings(createEnvironment({}), file, () => {});
    await expectRefused(read(), file);
    writeFileSync(file, 'database = "postgres://u:s3cr3t@db.example/x"');
    chmodSync(file, 0o644);
    await expectRefused(read(), "it holds a password");
  });
});

test("ignores what Kubernetes makes of a service of that name, with one warning", async () => {
  const variables = {
    COUNTERSIGN_GATEWAY_SERVICE_HOST: "192.0.2.1",
    COUNTERSIGN_GATEWAY_PORT: "tcp://192.0.2.1:4700",
  };
  expect(await load(undefined, variables)).toEqual({});
  expect(warnings).toHaveLength(1);
});

test("takes no variable for a setting that a switch, a variable or the file names as the place of a secret", async () => {
  const variables = {
    COUNTERSIGN_GATEWAY_UPSTREAM_KEY: "a",
    COUNTERSIGN_GATEWAY_AUTHORITY_TOKN: "b",
    COUNTERSIGN_GATEWAY_AUTHORITY_TOKEN: "env:COUNTERSIGN_GATEWAY_AUTHORITY_TOKN",
    COUNTERSIGN_GATEWAY_UPSTREAM_HEADER: "c",
  };
  writeFileSync(
    file,
    '[[upstream]]\nheaders = ["Authorization: env:COUNTERSIGN_GATEWAY_UPSTREAM_HEADER"]\n',
    { mode: 0o600 },
  );
  const switches = { upstreamHeader: ["X-Key: env:COUNTERSIGN_GATEWAY_UPSTREAM_KEY"] };
  const environment = createEnvironment(variables);
  await loadGatewaySettings(environment, file, (it) => warnings.push(it), switches);
  expect(warnings).toEqual([]);
  await expectRefused(
    loadGatewaySettings(environment, file, () => {}),
    "COUNTERSIGN_GATEWAY_UPSTREAM_KEY",
  );
});

test("a variable wins over the file, and a database of one leaves the environment", async () => {
  const variables = {
    COUNTERSIGN_GATEWAY_UPSTREAM_URL: "https://other.example",
    COUNTERSIGN_GATEWAY_ACCOUNTS: "a,b",
    COUNTERSIGN_GATEWAY_LIMITS_REQUESTS: "7",
    COUNTERSIGN_GATEWAY_DATABASE: "postgres://u:p@db.example/x",
  };
  const settings = await load(`${UPSTREAM}[[limits]]\nconnections = 5\n`, variables);
  expect(variables).not.toHaveProperty("COUNTERSIGN_GATEWAY_DATABASE");
  expect(withSettings(settings, {})).toMatchObject({
    upstream: "https://other.example",
    account: ["a", "b"],
    databaseSetting: { configured: "postgres://u:p@db.example/x" },
  });
  expect(gatewayLimitsOf(settings)).toMatchObject({ maxRequests: 7, maxConnections: 5 });
});

test("a switch wins, and its choice stands alone", async () => {
  const toml = `accounts = ["a"]\ndatabase = "sqlite:x"\nauthority_token = "file:/x"\naudit = "/a"\n${UPSTREAM}`;
  const settings = await load(toml);
  const switches: GatewaySwitches = {
    anyAccount: true,
    authority: "https://a.example",
    upstream: "https://mine.example",
  };
  const merged = withSettings(settings, switches);
  expect(merged).toMatchObject({ ...switches, audit: "/a" });
  expect([merged.account, merged.databaseSetting, merged.authorityToken]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("takes what the documented file shows, which names every key", async () => {
  const shown = readFileSync(
    join(import.meta.dirname, "../../../../docs/operating/gateway.toml"),
    "utf8",
  );
  const settings = await load(shown);
  expect(withSettings(settings, {})).toMatchObject({
    upstream: "https://api.example/v1",
    account: ["acct-1"],
  });
  const keys = shown.match(/^(?:# )?([a-z_]+)(?= =| is without)/gm) ?? [];
  const named = keys.map((key) => key.replace("# ", ""));
  expect(named.toSorted()).toEqual(GATEWAY_KEYS.map((key) => key.replace(/^.*\./, "")).toSorted());
});
