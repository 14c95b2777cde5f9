// Counts what 100 loads of an unchanged store ask of the system: `count-loads.ts HOME`.
import { countWork } from "@countersign/testing";
import { fileStore } from "../../src/index.js";

const [home = ""] = process.argv.slice(2);
const store = fileStore(home);
const load = () => countWork(() => store.load());
// Right after a write it is read each time.
while (Object.hasOwn((await load()).calls, "open"));
const counted = await countWork(async () => {
  for (let i = 0; i < 100; i += 1) await store.load();
});
process.stdout.write(JSON.stringify(counted));
