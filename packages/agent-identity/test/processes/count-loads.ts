// Counts what each of 100 loads of an unchanged store asks of the system: `count-loads.ts HOME`.
import { setImmediate } from "node:timers/promises";
import { countWork } from "@countersign/testing";
import { fileStore } from "../../src/index.js";

const [home = ""] = process.argv.slice(2);
const store = fileStore(home);
const load = () => countWork(() => store.load());
// Right after a write it is read each time.
while (Object.hasOwn((await load()).calls, "open"));
const counted = new Set<string>();
for (let i = 0; i < 100; i += 1) {
  // One look serves the loads before the next event.
  await setImmediate();
  counted.add(JSON.stringify(await load()));
}
process.stdout.write(`[${[...counted].join()}]`);
