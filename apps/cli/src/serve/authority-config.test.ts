import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createEnvironment } from "../home/environment.js";
import { CliError } from "../text/cli-error.js";
import {
  type AuthoritySwitches,
  authorityOptionsOf,
  loadAuthoritySettings,
} from "./authority-config.js";

let folder: string;
let file: string;
let warnings: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "authority-config-"));
  file = join(folder, "authority.toml");
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Sources {
  readonly toml?: string;
  readonly variables?: NodeJS.ProcessEnv;
  readonly switches?: AuthoritySwitches;
}

function load({ toml, variables = {}, switches = {} }: Sources) {
  if (toml !== undefined) writeFileSync(file, toml, { mode: 0o600 });
  return loadAuthoritySettings(
    createEnvironment(variables),
    switches,
    toml === undefined ? undefined : file,
    (warning) => warnings.push(warning),
  );
}

async function expectRefused(sources: Sources, code: string, ...says: string[]): Promise<void> {
  const error = await load(sources).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!CliError.is(error)) throw new Error(`not refused: ${String(error)}`);
  expect(error.code).toBe(code);
  for (const words of says) expect(`${error.message}\n${error.hint}`).toContain(words);
}

const ISSUER = `[[oidc]]\nname = "corp"\nissuer = "https://login.example"\naudience = "https://a.example"\n`;

describe("refuses, naming where it stands,", () => {
  test.each([
    { what: "an unknown key", toml: "agent_tll = '1h'", says: "did you mean agent_ttl?" },
    {
      what: "an unknown limit",
      toml: "[rate_limits]\nadress_per_minute = 1",
      says: "did you mean rate_limits.address_per_minute?",
    },
    {
      what: "a limit that is no number",
      toml: "[rate_limits]\nuser_per_minute = 'none'",
      says: "an integer",
    },
    {
      what: "a limit of nothing where there may be none",
      toml: "[rate_limits]\nuser_per_minute = 0",
      says: 'from 1, or "off"',
    },
    {
      what: "a public URL of plain http",
      toml: "public_url = 'http://authority.example'",
      says: "`public_url`: http://authority.example is plain http",
    },
    {
      what: "a public URL that is not valid",
      toml: "public_url = 'authority.example'",
      says: "`public_url`: ",
    },
    { what: "an unknown key in a table", toml: "[limits]\nx = 1", says: "`limits.x`" },
    { what: "a key like no other", toml: "zzzzzzzz = 1", says: "known keys: listen, " },
    { what: "a text where a number belongs", toml: "max_live_agents = '5'", says: "an integer" },
    { what: "a fraction", toml: "max_live_agents = 1.5", says: "`max_live_agents`" },
    { what: "a limit of nothing", toml: "max_live_tasks = 0", says: "from 1" },
    { what: "an ephemeral life of weeks", toml: "max_ephemeral_ttl = '8d'", says: "out of range" },
    { what: "an account without id", toml: "[[account]]\nmax_live_tasks = 1", says: "id" },
    { what: "a limit misspelt", toml: "[[account]]\nid = 'a'\nmax_tasks = 1", says: "max_tasks" },
    { what: "a generation that is not known", toml: "generations = ['D']", says: "A, B, C" },
    { what: "a text where a list belongs", toml: "capabilities = 'read'", says: "a list" },
    { what: "a duration without a unit", toml: "agent_ttl = '30'", says: "no duration" },
    { what: "a life of no time", toml: "task_ttl = '0s'", says: "out of range" },
    {
      what: "an idle time that verifiers' caches outlast",
      toml: "task_idle_ttl = '9m'",
      says: "out of range",
    },
    { what: "an unknown level", toml: "log_level = 'loud'", says: "debug, info" },
    { what: "an address without a port", toml: "listen = '127.0.0.1'", says: "HOST:PORT" },
    { what: "an empty text", toml: "public_url = ''", says: "`public_url` must be a text" },
    { what: "broken TOML", toml: "public_url = ", says: "authority.toml:1:" },
    {
      what: "an issuer without an account",
      toml: ISSUER,
      says: "name, issuer, audience and account",
    },
    {
      what: "an unknown key of an issuer",
      toml: `${ISSUER}acount = "a"`,
      says: "did you mean account?",
    },
    {
      what: "an account claim for everybody",
      toml: `${ISSUER}account = { claim = "org" }`,
      says: "allowed",
    },
  ])("$what in the file (G-A46)", async ({ toml, says }) => {
    await expectRefused({ toml }, "config_invalid", file, says);
  });

  test.each([
    { name: "MAX_LIVE_AGENTS", value: "many", says: "an integer" },
    { name: "MAX_LIVE_AGENTS", value: "1e3", says: "an integer" },
    { name: "GENERATIONS", value: "A,D", says: "A, B, C" },
    { name: "LOG_LEVEL", value: "loud", says: "debug, info" },
    { name: "LISTEN", value: "4600", says: "HOST:PORT" },
    { name: "OIDC", value: "corp", says: "a table of the file" },
    { name: "AGENT_TLL", value: "1h", says: "did you mean COUNTERSIGN_AUTHORITY_AGENT_TTL?" },
  ])("the variable $name=$value", async ({ name, value, says }) => {
    const variable = `COUNTERSIGN_AUTHORITY_${name}`;
    await expectRefused({ variables: { [variable]: value } }, "config_invalid", variable, says);
  });

  test("a switch, which is usage", async () => {
    await expectRefused({ switches: { listen: "4600" } }, "usage", "--listen");
    await expectRefused({ switches: { publicUrl: "" } }, "usage", "--public-url");
  });

  test("a file that is not there, or that everybody may write", async () => {
    const environment = createEnvironment({});
    const missing = loadAuthoritySettings(environment, {}, join(folder, "none.toml"), () => {});
    await expect(missing).rejects.toMatchObject({ code: "config_invalid" });
    writeFileSync(file, "");
    chmodSync(file, 0o666);
    const open = loadAuthoritySettings(environment, {}, file, () => {});
    await expect(open).rejects.toThrow("may be written by everybody");
  });

  test("a password in a file that everybody may read", async () => {
    writeFileSync(file, 'database = "postgres://u:s3cr3t@db.example/x"');
    chmodSync(file, 0o644);
    const work = loadAuthoritySettings(createEnvironment({}), {}, file, () => {});
    await expect(work).rejects.toThrow("is open to everybody");
    await expect(work).rejects.not.toThrow("s3cr3t");
  });
});

test("a switch wins over a variable, a variable over the file", async () => {
  const toml = `listen = "127.0.0.1:1"\npublic_url = "https://file.example"\nlog_level = "warn"\n`;
  const variables = {
    COUNTERSIGN_AUTHORITY_LISTEN: "127.0.0.1:2",
    COUNTERSIGN_AUTHORITY_PUBLIC_URL: "https://variable.example",
  };
  const settings = await load({ toml, variables, switches: { listen: "127.0.0.1:3" } });
  expect(settings).toEqual({
    listen: { host: "127.0.0.1", port: 3 },
    public_url: "https://variable.example",
    log_level: "warn",
  });
});

test("every key has a variable, in which lists are separated by commas", async () => {
  const settings = await load({
    variables: {
      COUNTERSIGN_AUTHORITY_GENERATIONS: "A, C",
      COUNTERSIGN_AUTHORITY_CAPABILITIES: "read,write",
      COUNTERSIGN_AUTHORITY_AGENT_TTL: "30d",
      COUNTERSIGN_AUTHORITY_MAX_LIVE_AGENTS: "7",
      COUNTERSIGN_AUTHORITY_REGISTRATION_PROOF: "require",
      COUNTERSIGN_AUTHORITY_PLAIN_TASK_IDS: "refuse",
    },
  });
  expect(authorityOptionsOf(settings)).toMatchObject({
    generations: ["A", "C"],
    capabilities: ["read", "write"],
    agentTtlSeconds: 30 * 86_400,
    maxLiveAgents: 7,
    registrationProof: "require",
    plainTaskIds: "refuse",
  });
});

test("limits stand in a table, and can be off", async () => {
  const toml = `[rate_limits]\nrefusals_per_minute = 9\naddress_per_minute = 5\nagent_per_minute = "off"\n`;
  const variables = { COUNTERSIGN_AUTHORITY_RATE_LIMITS_USER_PER_MINUTE: "7" };
  expect(authorityOptionsOf(await load({ toml, variables })).rateLimits).toEqual({
    refusalsPerMinute: 9,
    addressPerMinute: 5,
    userPerMinute: 7,
    agentPerMinute: "off",
  });
});

test("accounts and issuers have limits of their own", async () => {
  const toml = `max_ephemeral_agents = 9
max_ephemeral_ttl = "2h"

[[account]]
id = "acct-1"
max_live_agents = 7
max_ephemeral_agents = 8
max_live_tasks = 6

${ISSUER}account = "acct-2"
max_live_agents = 5
`;
  const options = authorityOptionsOf(await load({ toml }));
  expect(options).toMatchObject({ maxEphemeralAgents: 9, maxEphemeralTtlSeconds: 7_200 });
  expect(options.accountLimits).toEqual({
    "acct-1": { maxLiveAgents: 7, maxEphemeralAgents: 8, maxLiveTasks: 6 },
  });
  expect(options.humans).toMatchObject([{ liveLimits: { maxLiveAgents: 5 } }]);
});

test("an account with two tables is refused, since one of them would not count", async () => {
  const account = `[[account]]\nid = "acct-1"\nmax_live_agents = 7\n`;
  const settings = await load({ toml: account + account });
  expect(() => authorityOptionsOf(settings)).toThrow("account: an account has two tables");
});

test("a variable that is empty is not set", async () => {
  expect(await load({ variables: { COUNTERSIGN_AUTHORITY_LISTEN: "" } })).toEqual({});
});

test("variables of others with the same beginning are ignored with one warning", async () => {
  const variables = {
    COUNTERSIGN_AUTHORITY_SERVICE_HOST: "192.0.2.1",
    COUNTERSIGN_AUTHORITY_PORT_4600_TCP: "tcp://192.0.2.1:4600",
  };
  expect(await load({ variables })).toEqual({});
  expect(warnings).toEqual([
    "no settings, and ignored: COUNTERSIGN_AUTHORITY_PORT_4600_TCP, COUNTERSIGN_AUTHORITY_SERVICE_HOST",
  ]);
});

test("a variable that a switch names as the place of a secret is no setting", async () => {
  const variables = { COUNTERSIGN_AUTHORITY_DATABSE: "sqlite:x" };
  const switches = { database: "env:COUNTERSIGN_AUTHORITY_DATABSE" };
  expect(await load({ variables, switches })).toEqual({});
  expect(warnings).toEqual([]);
});

test("the database's variable is taken out of the environment, whichever source wins", async () => {
  const variables = { COUNTERSIGN_AUTHORITY_DATABASE: "postgres://u:s3cr3t@db.example/x" };
  const settings = await load({ variables });
  expect(settings.database).toBe("postgres://u:s3cr3t@db.example/x");
  expect(variables).toEqual({});
});

test("issuers of the file become humans of the authority", async () => {
  const toml = `${ISSUER}account = { claim = "org_id", allowed = ["1", "2"] }
require = { environment = "production", ref = ["main", "release"] }
clock_tolerance = "30s"

[[oidc]]
name = "ci"
issuer = "https://ci.example"
audience = "https://a.example"
account = "acct-1"
`;
  const settings = await load({ toml });
  expect(settings.oidc).toMatchObject([
    {
      name: "corp",
      account: { claim: "org_id", allowed: ["1", "2"] },
      require: { environment: ["production"], ref: ["main", "release"] },
      clockToleranceSeconds: 30,
    },
    { name: "ci", account: "acct-1" },
  ]);
  const { humans } = authorityOptionsOf(settings);
  expect(humans?.map(({ name }) => name)).toEqual(["corp", "ci"]);
});
