import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { refuseOldNode } from "./node-floor.js";

function run(version: string, ...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const refused = refuseOldNode({
    version,
    args,
    streams: {
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
    },
  });
  return { refused, out: out.join(""), err: err.join("") };
}

describe("the Node that runs the command", () => {
  test.each(["20.20.2", "22.18.9", "21.99.0", "8.0.0"])("is refused as %s", (version) => {
    const { refused, out, err } = run(version, "status");
    expect(refused).toBe(true);
    expect(out).toBe("");
    expect(err).toMatch(
      new RegExp(`^error: .*22\\.19.*this is ${version} \\(config_invalid\\)\nhint: .+\n$`),
    );
  });

  test("is refused as one JSON document where --json asks for it", () => {
    const { out } = run("20.20.2", "status", "--json");
    expect(JSON.parse(out)).toMatchObject({ error: { code: "config_invalid", retryable: false } });
  });

  test.each(["22.19.0", "22.20.1", "24.0.0", "26.1.0-nightly"])("is taken as %s", (version) => {
    expect(run(version, "--json")).toEqual({ refused: false, out: "", err: "" });
  });

  test("has the floor that the package declares", () => {
    const { engines } = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
    );
    expect(engines.node).toBe(">=22.19");
    expect(run("22.18.0").refused).toBe(true);
    expect(run("22.19.0").refused).toBe(false);
  });
});
