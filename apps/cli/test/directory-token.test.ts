import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startTestUpstream } from "@countersign/testing";
import { byEffort } from "@countersign/testing/effort";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { json, output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, serverWorld } from "./servers.js";

/** What an authority answers about an agent that it does not have. */
const UNKNOWN_AGENT = {
  status: 404,
  headers: { "content-type": "application/problem+json" },
  body: '{"status":404,"code":"unknown_agent"}',
};

let world: ServerWorld;
let file: string;

beforeEach(async () => {
  world = await serverWorld();
  file = join(world.folder.path, "token");
});

/** A gateway in front of an authority whose directory requires a token, which is in a file. */
async function openGateway(withToken = ["--authority-token", `file:${file}`]) {
  const config = join(world.folder.path, "authority.toml");
  await writeFile(config, 'public_url = "https://authority.example"\n');
  // The one that the agent is registered at; its directory is open on loopback.
  await world.logIn((await world.serve()).url);
  const authority = await world.serve(["--config", config]);
  const gateway = await world.start([
    ...["gateway", "--listen", "127.0.0.1:0", "--upstream", world.upstream.url],
    ...["--authority", authority.url, ...withToken],
    ...["--revocation-delay", "0s", "--operations-listen", "127.0.0.1:0"],
  ]);
  const [, operations = ""] = await gateway.process.waitForLine(/^operations on (http:\/\/\S+)$/);
  const figures = async () => await (await fetch(`${operations}/metrics`)).text();
  return { gateway, figures, ready: () => statusOf(`${operations}/readyz`) };
}

async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url, { headers });
  await response.arrayBuffer();
  return response.status;
}

/** Makes a token and puts it into the file, as one step. @returns its id */
async function putToken(): Promise<string> {
  const create = ["authority", "token", "create", "--account", "ops", "--user", "gateway-1"];
  const { id, token } = await json(
    [...create, "--role", "resource_server", "--ttl", "1h", ...world.onDatabase],
    { home: world.home },
  );
  await writeFile(`${file}.new`, token, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return id;
}

async function revokeToken(id: string): Promise<void> {
  await output(["authority", "token", "revoke", id, ...world.onDatabase], { home: world.home });
}

async function header(): Promise<string> {
  return (await output(["header"], { home: world.home, env: FEATURE_ON }))
    .trim()
    .replace(/^Authorization: /i, "");
}

describe("the token of a gateway for its authority", () => {
  test("that is missing where the directory requires one is found at the start, and /readyz is 503", async () => {
    const { gateway, ready } = await openGateway([]);
    await gateway.process.waitForLine(/unauthenticated; --authority-token takes a live token/);
    expect(await ready()).toBe(503);
  });

  test("that the authority refuses is found at the start, and /readyz is 503 until another is there (G-G22)", async () => {
    await writeFile(file, "cs_rs_wrong", { mode: 0o600 });
    const { gateway, ready } = await openGateway();
    await gateway.process.waitForLine(/does not answer about agents and tasks: unauthenticated/);
    expect(await ready()).toBe(503);
    await putToken();
    await gateway.process.waitForLine(
      /^its file changed: the token for the authority was read again$/,
    );
    await expect.poll(ready).toBe(200);
    expect(await statusOf(gateway.url, { authorization: await header() })).toBe(200);
  });

  test("stays as it was while its file is empty, and SIGHUP says so", async () => {
    await putTokenBeforeServing();
    const { gateway, ready } = await openGateway();
    await writeFile(file, "");
    gateway.process.kill("SIGHUP");
    await gateway.process.waitForLine(
      /^warning: SIGHUP: the token for the authority stays as it was: .*\(usage\)$/,
    );
    expect(await ready()).toBe(200);
    expect(await statusOf(gateway.url, { authorization: await header() })).toBe(200);
  });

  test("stays as it was while its file holds what is refused at the start", async () => {
    await putTokenBeforeServing();
    const { gateway, ready } = await openGateway();
    await writeFile(file, "cs_rs_a cs_rs_b");
    gateway.process.kill("SIGHUP");
    await gateway.process.waitForLine(
      /^warning: SIGHUP: the token for the authority stays as it was: .*space.*\(usage\)$/,
    );
    expect(await ready()).toBe(200);
    expect(await statusOf(gateway.url, { authorization: await header() })).toBe(200);
  });

  test("is replaced under load, and the earlier one revoked, with no request refused (G-G18)", async () => {
    let id = await putTokenBeforeServing();
    const { gateway } = await openGateway();
    const authorization = await header();
    const statuses: number[] = [];
    let isOver = false;
    const clients = Array.from({ length: 4 }, async () => {
      while (!isOver) statuses.push(await statusOf(gateway.url, { authorization }));
    });
    for (let round = 0; round < byEffort(5, 2); round += 1) {
      const later = await putToken();
      // At once: the gateway has not seen yet that its file changed.
      await revokeToken(id);
      id = later;
      const before = statuses.length;
      await expect.poll(() => statuses.length).toBeGreaterThan(before + 50);
    }
    isOver = true;
    await Promise.all(clients);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });

  test("is asked about once more for a refusal, and no more often", async () => {
    await writeFile(file, "cs_rs_wrong", { mode: 0o600 });
    const asked: string[] = [];
    const authority = await startTestUpstream((request) => {
      asked.push(request.url);
      return { status: 401 };
    });
    onTestFinished(() => authority.close());
    const { process } = await world.start([
      ...["gateway", "--listen", "127.0.0.1:0", "--upstream", world.upstream.url],
      ...["--authority", authority.url, "--authority-token", `file:${file}`],
    ]);
    await process.waitForLine(/unauthenticated; --authority-token/);
    expect(asked).toHaveLength(1);
  });
});

describe("figures and warnings of a gateway", () => {
  test("say when its token for the authority and its token for the upstream end", async () => {
    await putTokenBeforeServing();
    const exp = Math.floor(Date.now() / 1_000) + 2 * 86_400;
    const payload = Buffer.from(JSON.stringify({ exp })).toString("base64url");
    const key = join(world.folder.path, "upstream-key");
    await writeFile(key, `Bearer e30.${payload}.c2ln`, { mode: 0o600 });
    const { gateway, figures } = await openGateway([
      ...["--authority-token", `file:${file}`],
      ...["--upstream-header", `Authorization: file:${key}`],
    ]);
    await gateway.process.waitForLine(
      /^warning: the token of --authority-token ends in (60|59) minutes, at \S+Z: no request can be verified then/,
    );
    await gateway.process.waitForLine(/^warning: a token of --upstream-header ends in 47 hours/);
    const text = await figures();
    const [, token, upstream] = ["", "directory_token", "upstream"].map((name) =>
      Number(
        new RegExp(
          `^countersign_proxy_credential_expires_in_seconds\\{credential="${name}"\\} (\\S+)$`,
          "m",
        ).exec(text)?.[1],
      ),
    );
    expect(token).toBeGreaterThan(3_500);
    expect(token).toBeLessThanOrEqual(3_600);
    expect(upstream).toBeGreaterThan(172_700);
    expect(text).toMatch(/^countersign_proxy_directory_state\{state="fresh"\} 1$/m);
    expect(await statusOf(gateway.url, { authorization: await header() })).toBe(200);
    const later = await figures();
    expect(later).toMatch(/^countersign_proxy_directory_records\{about="task"\} 1$/m);
    expect(later).toMatch(
      /^countersign_proxy_directory_lookups_total\{about="agent",outcome="miss"\} \d+$/m,
    );
  });
});

describe("a gateway whose directory does not answer", () => {
  test("is not ready until it does, where no earlier answer is used (G-G22)", async () => {
    let isAway = true;
    const authority = await startTestUpstream(() => (isAway ? { status: 503 } : UNKNOWN_AGENT));
    onTestFinished(() => authority.close());
    const gateway = await world.start([
      ...["gateway", "--listen", "127.0.0.1:0", "--upstream", world.upstream.url],
      ...["--authority", authority.url, "--outage-window", "0s"],
      ...["--operations-listen", "127.0.0.1:0"],
    ]);
    const [, url = ""] = await gateway.process.waitForLine(/^operations on (http:\/\/\S+)$/);
    expect(await statusOf(`${url}/readyz`)).toBe(503);
    isAway = false;
    await expect.poll(() => statusOf(`${url}/readyz`)).toBe(200);
  });

  test("is not ready while what answers in its place is no directory, and ready again after that (G-G22)", async () => {
    await world.logIn((await world.serve()).url);
    const authorization = await header();
    let isOther = false;
    const authority = await startTestUpstream(() =>
      isOther
        ? { status: 200, headers: { "content-type": "text/html" }, body: "<p>Soon back</p>" }
        : UNKNOWN_AGENT,
    );
    onTestFinished(() => authority.close());
    const gateway = await world.start([
      ...["gateway", "--listen", "127.0.0.1:0", "--upstream", world.upstream.url],
      ...["--authority", authority.url, "--outage-window", "1s", "--revocation-delay", "0s"],
      ...["--operations-listen", "127.0.0.1:0"],
    ]);
    const [, url = ""] = await gateway.process.waitForLine(/^operations on (http:\/\/\S+)$/);
    expect(await statusOf(`${url}/readyz`)).toBe(200);
    isOther = true;
    expect(await statusOf(gateway.url, { authorization })).toBe(503);
    await expect.poll(() => statusOf(`${url}/readyz`)).toBe(503);
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toMatch(/^countersign_proxy_directory_state\{state="unreachable"\} 1$/m);
    isOther = false;
    await expect.poll(() => statusOf(`${url}/readyz`)).toBe(200);
  });

  test("is not ready while its database cannot be read, and ready again after that (G-G22)", async () => {
    await world.logIn((await world.serve()).url);
    const authorization = await header();
    const gateway = await world.start([
      ...["gateway", "--listen", "127.0.0.1:0", "--upstream", world.upstream.url],
      ...[...world.onDatabase, "--operations-listen", "127.0.0.1:0"],
    ]);
    const [, url = ""] = await gateway.process.waitForLine(/^operations on (http:\/\/\S+)$/);
    expect(await statusOf(`${url}/readyz`)).toBe(200);
    const database = new DatabaseSync(join(world.folder.path, "authority.db"), {
      timeout: 60_000,
    });
    onTestFinished(() => database.close());
    database.exec("alter table agents rename to agents_away");
    expect(await statusOf(gateway.url, { authorization })).toBe(503);
    expect(await statusOf(`${url}/readyz`)).toBe(503);
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toMatch(/^countersign_proxy_directory_state\{state="unreachable"\} 1$/m);
    database.exec("alter table agents_away rename to agents");
    await expect.poll(() => statusOf(`${url}/readyz`)).toBe(200);
  });
});

/** The database is made by the first command that writes to it. */
async function putTokenBeforeServing(): Promise<string> {
  await world.createToken();
  return await putToken();
}
