import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { startProcess, type TestProcess } from "@countersign/testing";
import { openAuthority, openDirectory, sourceCommand } from "@countersign/testing/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { openSecretService, whyNoSecretService } from "./support/secret-service.js";

const PROGRAM = new URL("processes/use-keyring.ts", import.meta.url);
const WITHOUT_KEYRING = new URL("processes/without-keyring.mjs", import.meta.url).href;
const NO_BUS = { DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined };

const reason = await whyNoSecretService();
if (reason !== undefined) {
  process.stderr.write(`skipped: tests with a Secret Service: ${reason}\n`);
}

interface StartOptions {
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly loaders?: readonly string[] | undefined;
}

async function start(args: readonly string[], options: StartOptions): Promise<TestProcess> {
  const { env, loaders = [] } = options;
  const [command = "", ...rest] = sourceCommand(PROGRAM, ...args);
  const imports = loaders.flatMap((loader) => ["--import", loader]);
  const running = await startProcess(command, [...imports, ...rest], { env });
  onTestFinished(() => running[Symbol.asyncDispose]());
  await running.waitForLine(/^ready$/);
  return running;
}

/** Starts programs, lets them begin at once and gives what each printed. */
async function use(programs: readonly (readonly string[])[], options: StartOptions) {
  const all = await Promise.all(programs.map((args) => start(args, options)));
  for (const running of all) running.write("go\n");
  return await Promise.all(
    all.map(async (running) => {
      const { code, stdout, stderr } = await running.exited;
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    }),
  );
}

async function openHome(): Promise<string> {
  return join(await openDirectory(), "home");
}

test("without the package @napi-rs/keyring it is store_denied, and the remedy names the package", async () => {
  const home = await openHome();
  const options = { loaders: [WITHOUT_KEYRING] };
  for (const args of [
    ["load", home],
    ["update", home, "a"],
  ]) {
    const [error] = await use([args], options);
    expect(error).toMatchObject({ code: "store_denied", message: /not installed/ });
    expect(error.hint).toContain("install @napi-rs/keyring");
  }
}, 60_000);

test.runIf(process.platform === "linux")(
  "without a D-Bus session it is store_denied with a remedy, never the kernel's keyring, and nothing is registered",
  async () => {
    const authority = await openAuthority();
    const home = await openHome();
    const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
    const programs = [
      ["load", home],
      ["update", home, "a"],
      ["ensure", home, authority.url, token],
    ];
    for (const error of await use(programs, { env: NO_BUS })) {
      expect(error).toMatchObject({ code: "store_denied" });
      expect(error.hint).toContain("start a Secret Service");
    }
    expect(authority.counts.registerAgent).toBe(0);
  },
  60_000,
);

describe.runIf(reason === undefined)("with a real Secret Service", () => {
  test("a locked one is store_denied with a remedy, and nothing is registered", async () => {
    const env = await openSecretService("locked");
    const authority = await openAuthority();
    const home = await openHome();
    const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
    const programs = [
      ["load", home],
      ["ensure", home, authority.url, token],
    ];
    for (const error of await use(programs, { env })) {
      expect(error).toMatchObject({ code: "store_denied" });
      expect(error.hint).toContain("unlock");
    }
    expect(authority.counts.registerAgent).toBe(0);
  }, 60_000);

  test("five processes on an empty keyring end in one registration, which later ones find", async () => {
    const env = await openSecretService("unlocked");
    const authority = await openAuthority();
    const home = await openHome();
    const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
    const program = ["ensure", home, authority.url, token];
    const found = await use(
      Array.from({ length: 5 }, () => program),
      { env },
    );
    expect(found).toEqual(Array.from({ length: 5 }, () => ({ agent: "agent_1" })));
    expect(await use([program], { env })).toEqual([{ agent: "agent_1" }]);
    expect(authority.counts.registerAgent).toBe(1);
    const [stored] = await use([["load", home]], { env });
    expect(stored).toMatchObject({ identities: [{ state: "registered" }] });
    // The home holds what keeps processes apart, and no secret.
    expect(await readdir(home)).toEqual(["locks"]);
  }, 60_000);

  test("no change of several processes at once is lost, also where the store stands in several entries", async () => {
    const env = await openSecretService("unlocked");
    const home = await openHome();
    const names = ["a", "b", "c"];
    const updated = await use(
      names.map((name) => ["update", home, name, "400"]),
      { env },
    );
    // The program prints an error as its result.
    for (const result of updated) expect(result).not.toHaveProperty("code");
    const [{ version, login, identities, ...members }] = await use([["load", home]], { env });
    expect(members).toEqual(
      Object.fromEntries(
        names.flatMap((name) =>
          Array.from({ length: 5 }, (_, i) => [`${name}${i}`, "ü".repeat(400)]),
        ),
      ),
    );
  }, 60_000);
});
