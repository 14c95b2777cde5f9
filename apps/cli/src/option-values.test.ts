import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { parseListenAddress } from "./config/listen-address.js";
import { createEnvironment } from "./home/environment.js";
import { readSecretSource } from "./home/secrets.js";
import { resolveThread } from "./options/thread-option.js";
import { CliError } from "./text/cli-error.js";
import { parseDuration } from "./text/duration.js";

function codeOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return CliError.is(error) ? error.code : error;
  }
}

describe("durations", () => {
  const parse = (text: string) =>
    codeOf(() => parseDuration(text, "--ttl", { min: 1, max: 100_000 }));
  test.each(["", "24", "h", "1.5h", "-1s", "1 h", "0s", "9999d", "1H", "1e3s"])(
    "rejects %j",
    (text) => {
      expect(parse(text)).toBe("usage");
    },
  );
  test.each([
    ["15s", 15],
    ["2m", 120],
    ["24h", 86_400],
    ["1d", 86_400],
  ])("takes %s", (text, seconds) => {
    expect(parse(text)).toBe(seconds);
  });
});

describe("addresses to listen on", () => {
  test.each(["", "4600", "host:", ":4600", "host:65536", "::1:80", "[::1]", "a b:1", "host:1/x"])(
    "rejects %j",
    (text) => {
      expect(codeOf(() => parseListenAddress(text))).toBe("usage");
    },
  );
  test.each([
    ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
    ["localhost:4600", { host: "localhost", port: 4600 }],
    ["[::1]:80", { host: "::1", port: 80 }],
  ])("takes %s", (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
  });
});

describe("threads", () => {
  const none = createEnvironment({});
  test.each(["", "a\nb", "a\u0000b", "x".repeat(257), "\ud800"])("rejects %j", (thread) => {
    expect(codeOf(() => resolveThread(thread, none))).toBe("invalid_request");
  });
  test("takes characters that are odd in a path", () => {
    expect(resolveThread("../../etc/😀 ?#%", none)).toBe("../../etc/😀 ?#%");
  });
  test("come from the option, then the environment, then are cli", () => {
    const environment = createEnvironment({ COUNTERSIGN_THREAD: "from-environment" });
    expect(resolveThread("given", environment)).toBe("given");
    expect(resolveThread(undefined, environment)).toBe("from-environment");
    expect(resolveThread(undefined, none)).toBe("cli");
  });
});

describe("secrets", () => {
  test("are deleted from the environment when they are read, and can be asked for again (G-C11)", async () => {
    const variables = { UPSTREAM_KEY: "s3cr3t" };
    const environment = createEnvironment(variables);
    expect(await readSecretSource(environment, "env:UPSTREAM_KEY", "--x")).toBe("s3cr3t");
    expect(variables).toEqual({});
    expect(await readSecretSource(environment, "env:UPSTREAM_KEY", "--x")).toBe("s3cr3t");
  });
  test.each(["s3cr3t", "env:", "env:NOT SET", "env:MISSING", "file:", "file:/nowhere/at/all"])(
    "rejects %j without repeating a secret",
    async (source) => {
      const error = await readSecretSource(createEnvironment({}), source, "--x").catch(
        (it: unknown) => it,
      );
      expect(error).toMatchObject({ code: "usage" });
      expect(String(error)).not.toContain("s3cr3t");
    },
  );
  test.runIf(process.platform !== "win32")(
    "from a file of more than 64 KiB, or without end, are refused, and the longest one is read",
    async () => {
      await using folder = await temporaryDirectory();
      const file = join(folder.path, "secret");
      const read = (path: string) => readSecretSource(createEnvironment({}), `file:${path}`, "--x");
      await writeFile(file, "s".repeat(65_537));
      for (const path of [file, "/dev/zero"]) {
        await expect(read(path)).rejects.toMatchObject({
          code: "usage",
          message: `--x: ${path} holds more than 65536 bytes`,
        });
      }
      await writeFile(file, "s".repeat(65_536));
      expect(await read(file)).toHaveLength(65_536);
    },
  );
  test("with a line break inside are refused", async () => {
    const environment = createEnvironment({ A: "one\ntwo" });
    await expect(readSecretSource(environment, "env:A", "--x")).rejects.toMatchObject({
      code: "usage",
    });
  });
});
