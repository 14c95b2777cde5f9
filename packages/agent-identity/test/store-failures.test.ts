import { chmod, chown, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey, StoreError } from "@countersign/agent-key";
import { runProcess } from "@countersign/testing";
import { expectRejection, openAuthority, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { AgentIdentityManager } from "../src/agent-identity-manager.js";
import { fixedAuth } from "../src/auth.js";
import { fileStore } from "../src/store/file-store.js";
import { commandOf } from "./support/processes.js";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const MOUNT = isRoot ? ["unshare", "-m"] : ["unshare", "-r", "-m"];
const canMount = await runs([...MOUNT, "sh", "-c", "mount --bind /tmp /tmp"]);
const canDenyWrites = canMount || (process.platform !== "win32" && !isRoot);
if (!canDenyWrites)
  console.warn("skipped: no mounts can be made here (unshare), and root writes anywhere");

async function runs([command = "", ...args]: readonly string[]): Promise<boolean> {
  return await runProcess(command, args).then(
    ({ code }) => code === 0,
    () => false,
  );
}

async function open() {
  const authority = await openAuthority();
  const root = await openDirectory();
  const home = join(root, "home");
  await mkdir(home, { mode: 0o700 });
  const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  const file = join(home, "credentials.json");
  const ensure = async () => {
    const manager = new AgentIdentityManager({
      authority: authority.url,
      auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken: token }),
      store: fileStore(home),
      features: { isEnabled: () => true },
    });
    return await manager.ensure();
  };
  const entry = {
    authority: authority.url,
    account_id: "acct-1",
    user_id: "user-1",
    private_key: AgentKey.generate().exportPkcs8(),
  };
  const save = (content: unknown) =>
    writeFile(file, typeof content === "string" ? content : JSON.stringify(content), {
      mode: 0o600,
    });
  return { authority, root, home, file, token, ensure, entry, save };
}

type Setup = Awaited<ReturnType<typeof open>>;

describe("registers nothing, and says what to do, when the store", () => {
  const cases: readonly [
    string,
    "store_corrupt" | "store_denied",
    (setup: Setup) => Promise<unknown>,
  ][] = [
    ["was cut off", "store_corrupt", ({ save }) => save('{"version":1,"identities":[')],
    ["is empty", "store_corrupt", ({ save }) => save("")],
    ["is no text", "store_corrupt", ({ file }) => writeFile(file, Buffer.from([0xff, 0xfe, 0x00]))],
    ["is of a later version", "store_corrupt", ({ save }) => save({ version: 2 })],
    [
      "has an identity of this login that cannot be read",
      "store_corrupt",
      ({ save, entry }) => save({ version: 1, identities: [{ ...entry, state: "resting" }] }),
    ],
    [
      "has a pending key of this login that is not valid",
      "store_corrupt",
      ({ save, entry }) =>
        save({ version: 1, identities: [{ ...entry, private_key: "AAAA", state: "pending" }] }),
    ],
    [
      "has no list of identities",
      "store_corrupt",
      ({ save }) => save({ version: 1, identities: 7 }),
    ],
    ["is a directory", "store_denied", ({ file }) => mkdir(file)],
    ["is a symbolic link", "store_denied", ({ root, file }) => symlink(join(root, "other"), file)],
  ];
  test.each(cases)("%s", async (_, code, prepare) => {
    const setup = await open();
    await prepare(setup);
    const before = await readFile(setup.file).catch(() => undefined);
    const error = await expectRejection(setup.ensure(), StoreError, code);
    expect(error.hint).toBeTruthy();
    expect(error.message).not.toContain(setup.entry.private_key);
    expect(setup.authority.requests).toEqual([]);
    expect(await readFile(setup.file).catch(() => undefined)).toEqual(before);
  });

  test("may not be read by its own user", async () => {
    const { authority, root, home, file, token, save } = await open();
    await save({ version: 1, login: null, identities: [] });
    if (isRoot) for (const path of [root, home, file]) await chown(path, NOBODY, NOBODY);
    await chmod(file, 0);
    const args = [authority.url, home, token, ...(isRoot ? [`${NOBODY}`] : [])];
    const [command = "", ...rest] = commandOf("try-identity.ts", ...args);
    const outcome = JSON.parse((await runProcess(command, rest)).stdout);
    expect(outcome).toMatchObject({ code: "store_denied", hint: expect.stringMatching(/./) });
    expect(outcome.message).toContain("EACCES");
    expect(authority.requests).toEqual([]);
  });

  test.runIf(isRoot)("belongs to another user", async () => {
    const { authority, home, ensure } = await open();
    await chown(home, NOBODY, NOBODY);
    await expectRejection(ensure(), StoreError, "store_denied");
    expect(authority.requests).toEqual([]);
  });
});

/** Runs the program where the home cannot be written. */
async function tryOnReadOnlyHome({ authority, home, token }: Setup) {
  const program = commandOf("try-identity.ts", authority.url, home, token);
  const mount = `mount --bind "${home}" "${home}" && mount -o remount,bind,ro "${home}" && exec "$@"`;
  if (!canMount) await chmod(home, 0o500);
  const [command = "", ...args] = canMount
    ? [...MOUNT, "sh", "-c", mount, "sh", ...program]
    : program;
  const { stdout, stderr } = await runProcess(command, args);
  if (!canMount) await chmod(home, 0o700);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

describe.runIf(canDenyWrites)("on a read-only file system", () => {
  test("nothing is registered in an empty home", async () => {
    const setup = await open();
    const outcome = await tryOnReadOnlyHome(setup);
    expect(outcome).toMatchObject({ code: "store_denied", hint: expect.stringMatching(/./) });
    if (canMount) expect(outcome.message).toContain("read-only file system (EROFS)");
    expect(setup.authority.requests).toEqual([]);
  });

  test("a pending key is not registered: its agent could not be kept", async () => {
    const setup = await open();
    await setup.save({ version: 1, identities: [{ ...setup.entry, state: "pending" }] });
    expect(await tryOnReadOnlyHome(setup)).toMatchObject({ code: "store_denied" });
    expect(setup.authority.requests).toEqual([]);
  });

  test("a registered agent is used as ever, without a request", async () => {
    const setup = await open();
    await setup.ensure();
    expect(await tryOnReadOnlyHome(setup)).toEqual({ agent: "agent_1" });
    expect(setup.authority.requests).toHaveLength(1);
  });
});

test.runIf(canMount)(
  "on a full disk nothing is registered, and what was stored stays as it was",
  async () => {
    const { authority, home, token } = await open();
    const fill = [
      `mount -t tmpfs -o size=64k,mode=700 tmpfs "${home}"`,
      `printf %s '{"version":1,"login":null,"identities":[],"note":1}' > "${home}/credentials.json"`,
      `mkdir -m 700 "${home}/locks"`,
      `cat /dev/zero > "${home}/filler" 2>/dev/null`,
      `"$@"; cat "${home}/credentials.json"`,
    ].join("; ");
    const program = commandOf("try-identity.ts", authority.url, home, token);
    const [command = "", ...args] = [...MOUNT, "sh", "-c", fill, "sh", ...program];
    const [outcome = "", stored] = (await runProcess(command, args)).stdout.split("\n");
    expect(JSON.parse(outcome)).toMatchObject({
      code: "store_denied",
      retryable: true,
      message: expect.stringContaining("the disk is full"),
    });
    expect(JSON.parse(stored ?? "")).toMatchObject({ identities: [], note: 1 });
    expect(authority.requests).toEqual([]);
  },
);
