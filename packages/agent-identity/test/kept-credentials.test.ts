import { chmod, chown, mkdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey, StoreError } from "@countersign/agent-key";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { beforeEach, describe, expect, test } from "vitest";
import { fileStore } from "../src/store/file-store.js";
import { startProgram } from "./support/processes.js";

const LOGIN = {
  authority: "https://authority.example",
  account_id: "acct-1",
  user_id: "user-1",
  kind: "human",
  proof: "bearer",
  access_token: "token-1",
  logged_in_at: "2026-03-23T12:00:00Z",
} as const;
const PRIVATE_KEY = AgentKey.generate().exportPkcs8();

function identity(number: number) {
  return {
    authority: LOGIN.authority,
    account_id: "acct-1",
    user_id: `user-${number}`,
    private_key: PRIVATE_KEY,
    agent_runtime_id: `agent_${number}`,
    state: "registered",
  } as const;
}

async function openHome(identities = 1) {
  const home = join(await openDirectory(), "home");
  await mkdir(home, { mode: 0o700 });
  const file = join(home, "credentials.json");
  const content = {
    version: 1,
    login: LOGIN,
    identities: Array.from({ length: identities }, (_, i) => identity(i + 1)),
  };
  await writeFile(file, JSON.stringify(content), { mode: 0o600 });
  return { home, file, store: fileStore(home) };
}

test.each([1, 5_000])(
  "a load of an unchanged file looks at folder and file once, opens nothing and leaves nothing to wait for: %i identities",
  async (count) => {
    const { home } = await openHome(count);
    const { stdout, stderr } = await (await startProgram("count-loads.ts", home)).exited;
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([{ calls: { lstatSync: 2 }, resources: {} }]);
  },
);

describe("what was kept of a file", () => {
  let opened: Awaited<ReturnType<typeof openHome>>;
  beforeEach(async () => {
    opened = await openHome();
    // The same object twice: it is kept.
    await expect.poll(isKept).toBe(true);
  });
  const isKept = async () => {
    const first = await opened.store.load();
    return (await opened.store.load()) === first;
  };
  const loginOf = async () => (await opened.store.load()).login;

  test("is frozen as a whole, so that no caller changes what others get", async () => {
    const credentials = await opened.store.load();
    const [entry = {}] = credentials.identities;
    const changes = [
      () => Object.assign(credentials, { login: null }),
      () => Object.assign(credentials.login ?? {}, { access_token: "other" }),
      () => Object.assign(credentials.identities, { length: 0 }),
      () => Object.assign(entry, { private_key: "other" }),
    ];
    for (const change of changes) expect(change).toThrow(TypeError);
    expect(await opened.store.load()).toMatchObject({ login: LOGIN, identities: [identity(1)] });
  });

  test("gives way to each change by another process (G-H4)", async () => {
    const { home, store } = opened;
    const other = await startProgram("change-store.ts", home);
    const change = async (name: string) => {
      await expect.poll(isKept).toBe(true);
      other.write(`${name}\n`);
      await other.waitForLine(new RegExp(`^done ${name}$`));
      return await store.load();
    };
    expect((await change("edit")).login).toMatchObject({ access_token: "token-3" });
    expect((await change("logout")).login).toBeNull();
    expect((await change("login")).login).toMatchObject({ access_token: "token-2" });
    expect((await change("rotate")).identities[0]?.private_key).toBe("other");
    expect((await change("forget")).identities).toEqual([]);
    other.endInput();
  });

  test("is not given where the file is gone, cut off or a link by now", async () => {
    const { home, file, store } = opened;
    await rename(file, `${file}.aside`);
    expect(await loginOf()).toBeNull();
    await symlink(`${file}.aside`, file);
    await expectRejection(store.load(), StoreError, "store_denied");
    await rm(file);
    await rename(`${file}.aside`, file);
    await expect.poll(isKept).toBe(true);
    await rename(home, `${home}-aside`);
    expect(await loginOf()).toBeNull();
    await symlink(`${home}-aside`, home);
    await expectRejection(store.load(), StoreError, "store_denied");
    await rm(home);
    await rename(`${home}-aside`, home);
    await expect.poll(isKept).toBe(true);
    await writeFile(file, "{");
    await expectRejection(store.load(), StoreError, "store_corrupt");
  });

  test.runIf(process.platform !== "win32")(
    "does not keep folder and file from being tightened (G-H4)",
    async () => {
      const { home, file, store } = opened;
      const modes = async () => [(await stat(home)).mode & 0o777, (await stat(file)).mode & 0o777];
      for (const [path, mode] of [
        [home, 0o750],
        [file, 0o604],
      ] as const) {
        await expect.poll(isKept).toBe(true);
        await chmod(path, mode);
        await store.load();
        expect(await modes()).toEqual([0o700, 0o600]);
      }
    },
  );

  test.runIf(process.getuid?.() === 0)(
    "is not given once folder or file belongs to somebody else",
    async () => {
      const { home, file, store } = opened;
      for (const path of [home, file]) {
        await expect.poll(isKept).toBe(true);
        await chown(path, 12_345, 12_345);
        await expectRejection(store.load(), StoreError, "store_denied");
        await chown(path, 0, 0);
      }
    },
  );
});
