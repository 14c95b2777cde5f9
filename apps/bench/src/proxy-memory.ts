/**
 * Measures what the two proxies hold in memory while bodies stream through both of them, one behind the other, each in a process of its
 * own: client → signing proxy → verifying gateway → an API. Resident memory is read from `/proc` (Linux), every 50 ms.
 *
 * Prints a table, and exits 1 when one of them grows by 64 MiB or more over the first GiB each way after they were warmed with one
 * stream (peak of that GiB against the end of the warm stream), or by more than 8 MiB from the second GiB to the fourth: what it holds
 * for nine tenths of the time at most, in the third and fourth against the first and second. Memory that was given back and taken again
 * is no growth, nor is a peak of a moment; 8 MiB is what equal streams differ by.
 *
 * What it shows is V8's young generation and the slabs of 64 KiB that Node reads a connection into, waiting to be collected; what is alive
 * after a collection stays at 11 MiB. Both processes keep their young generation as small as it starts, as `countersign gateway` and
 * `countersign proxy` do, and hold about 40 MiB over an idle process. With Node's own setting (`--node-flags=`) it is about 100, and V8 lets
 * the young generation creep on by up to 12 from the second GiB to the fourth.
 *
 *     pnpm --filter @countersign/bench proxy-memory [--scale 1] [--node-flags=--import=…]
 *
 * `--scale` divides the sizes, for a quick look; its figures promise nothing.
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { AgentKey } from "@countersign/agent-key";
import { type MeasuredProcess, startMeasured, type Watched } from "./memory/measured-process.ts";
import { streamThrough } from "./memory/stream-through.ts";

const MIB = 1_048_576;
const GIB = 1_024 * MIB;
const WARM_BYTES = 256 * MIB;
const MOST_FIRST_MIB = 64;
const MOST_LATER_MIB = 8;
const SMALL_SEMI_SPACE = `--import=${import.meta.resolve("./memory/small-semi-space.ts")}`;

interface Row extends Watched {
  readonly name: string;
}

const { values } = parseArgs({
  options: {
    scale: { type: "string", default: "1" },
    "node-flags": { type: "string", default: SMALL_SEMI_SPACE },
  },
});
const scale = Number(values.scale);
const nodeFlags = values["node-flags"].split(" ").filter((flag) => flag !== "");
const clientToken = randomBytes(32).toString("base64url");
const pkcs8 = AgentKey.generate().exportPkcs8();
const started: MeasuredProcess[] = [];

async function start(program: string, upstream: string): Promise<MeasuredProcess> {
  const setting = { upstream, pkcs8, clientToken };
  const running = await startMeasured(new URL(program), nodeFlags, setting);
  started.push(running);
  return running;
}

try {
  const stub = await start(import.meta.resolve("./memory/stub.ts"), "");
  const gateway = await start(import.meta.resolve("./memory/gateway.ts"), stub.url);
  const proxy = await start(import.meta.resolve("./memory/signing-proxy.ts"), gateway.url);
  const rows = { "signing proxy": [] as Row[], gateway: [] as Row[] };

  async function stream(name: string, bytes: number): Promise<void> {
    const work = streamThrough(proxy.url, clientToken, Math.round(bytes / scale));
    const [ofProxy, ofGateway] = await Promise.all([proxy.watch(work), gateway.watch(work)]);
    rows["signing proxy"].push({ name, ...ofProxy });
    rows.gateway.push({ name, ...ofGateway });
  }

  await stream("idle", 0);
  await stream("warm", WARM_BYTES);
  for (const count of [1, 2, 3, 4]) await stream(`GiB ${count}`, GIB);
  const results = Object.entries(rows).map(([name, measured]) => report(name, measured));
  process.exitCode = results.every((holds) => holds) ? 0 : 1;
} finally {
  await Promise.all(started.map((running) => running.end()));
}

/** @returns whether the figures are what is promised */
function report(name: string, rows: readonly Row[]): boolean {
  console.log(`\n${name}, resident memory in MiB`);
  console.log("        end  median  mostly    peak");
  for (const row of rows) {
    const figures = [row.endMiB, row.medianMiB, row.mostlyMiB, row.peakMiB];
    console.log(row.name.padEnd(5) + figures.map((it) => it.toFixed(1).padStart(8)).join(""));
  }
  const [, warm, first, second, third, fourth] = rows;
  if (!warm || !first || !second || !third || !fourth) throw new Error("a figure is missing");
  const firstGrowth = first.peakMiB - warm.endMiB;
  const laterGrowth =
    Math.max(third.mostlyMiB, fourth.mostlyMiB) - Math.max(first.mostlyMiB, second.mostlyMiB);
  const holds = firstGrowth < MOST_FIRST_MIB && laterGrowth <= MOST_LATER_MIB;
  console.log(
    `${holds ? "ok" : "FAIL"}: ${firstGrowth.toFixed(1)} over the 1st GiB (less than ${MOST_FIRST_MIB}), ${laterGrowth.toFixed(1)} from the 2nd to the 4th (at most ${MOST_LATER_MIB})`,
  );
  return holds;
}
