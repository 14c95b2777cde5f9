import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runProcess, startProcess, temporaryDirectory } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { ROWS } from "../src/row-list.ts";

const PROGRAM = join(import.meta.dirname, "../src/bench.ts");
// Says the process id of each row's process.
const ANNOUNCED = join(import.meta.dirname, "announce-row.mjs");
const bench = (...argv: string[]) => runProcess(process.execPath, [PROGRAM, ...argv]);

describe("bench", () => {
  test("refuses an unknown option and a pattern that no row matches", async () => {
    for (const argv of [["--speed"], ["--rows", "no-such-row"], ["--rounds", "0"]]) {
      expect((await bench(...argv)).code).toBe(2);
    }
  });

  test("lists every row", async () => {
    const { code, stdout } = await bench("--list");
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toEqual([...ROWS]);
  });

  test("writes table, JSON, page and plot of the rows that were selected", async () => {
    await using folder = await temporaryDirectory();
    const out = join(folder.path, "out");
    const effort = ["--quick", "--rounds", "2", "--slice-ms", "1"];
    const { code, stdout } = await bench(...effort, "--rows", "^sign-new", "--out", out);
    expect(code).toBe(0);
    const read = (name: string) => readFile(join(out, name), "utf8");
    const page = await read("performance.md");
    const results = JSON.parse(await read("performance/results.json"));
    const plot = await read("performance/goals.svg");
    const names = ["sign-new-second", "sign-new-task"];
    expect(results.rows.map((row: { name: string }) => row.name)).toEqual(names);
    for (const { name, title, state, figure, compared } of results.rows) {
      expect(state).toBe("measured");
      for (const quartiles of [figure, compared.wall, compared.cpu]) {
        expect(Object.keys(quartiles)).toEqual(["low", "median", "high"]);
      }
      expect(stdout).toContain(name);
      expect(page).toContain(`| ${title} |`);
      expect(plot).toContain(title);
    }
    expect(plot).toMatch(/^<svg .*<\/svg>\n$/s);
  });

  test("ends with the process of its row when it is interrupted, and writes nothing", async () => {
    await using folder = await temporaryDirectory();
    const argv = ["--rows", "^sign-new-second", "--slice-ms", "60000", "--out", folder.path];
    const env = { NODE_OPTIONS: `--import=${ANNOUNCED}` };
    await using running = await startProcess(process.execPath, [PROGRAM, ...argv], { env });
    const [, rowPid] = await running.waitForLine(/^row-program (\d+)$/m);
    running.kill("SIGINT");
    expect((await running.exited).code).toBe(130);
    expect(() => process.kill(Number(rowPid), 0)).toThrow("ESRCH");
    expect(await readdir(folder.path)).toEqual([]);
  });
});
