// Counts what each of 100 requests, and each of 100 turns with one request, asks of the system while nothing changes:
// `count-turns.ts KIND AUTHORITY HOME TOKEN`. The thread's task is stored.
import { setImmediate } from "node:timers/promises";
import { countWork } from "@countersign/testing";
import { openThread } from "./open-thread.js";

const [kind = "", authority = "", home = "", accessToken = ""] = process.argv.slice(2);
const thread = openThread(kind, authority, home, accessToken);

async function request(): Promise<void> {
  thread.accepted(await thread.credential(), "https://api.example");
}

// What each of 100 asks, and nothing that is shared: every one begins with an event of its own.
async function count(run: () => Promise<unknown>) {
  const counted = new Set<string>();
  for (let i = 0; i < 100; i += 1) {
    await setImmediate();
    counted.add(JSON.stringify(await countWork(run)));
  }
  return [...counted].map((work) => JSON.parse(work));
}

// A look serves 0.2 ms: how busy the machine is must not decide.
performance.now = () => 0;
// The first one reads the task; and right after a write the login is read each time.
while (Object.hasOwn((await countWork(request)).calls, "open"));
const counted = { requests: await count(request), turns: await count(() => thread.run(request)) };
process.stdout.write(JSON.stringify(counted));
