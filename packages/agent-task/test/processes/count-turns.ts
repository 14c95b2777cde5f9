// Counts what 100 requests, and 100 turns with one request each, ask of the system while nothing changes:
// `count-turns.ts KIND AUTHORITY HOME TOKEN`. The thread's task is stored.
import { countWork } from "@countersign/testing";
import { openThread } from "./open-thread.js";

const [kind = "", authority = "", home = "", accessToken = ""] = process.argv.slice(2);
const thread = openThread(kind, authority, home, accessToken);

async function request(): Promise<void> {
  thread.accepted(await thread.credential(), "https://api.example");
}

async function count(run: () => Promise<unknown>) {
  return await countWork(async () => {
    for (let i = 0; i < 100; i += 1) await run();
  });
}

// The first one reads the task; and right after a write the login is read each time.
while (Object.hasOwn((await countWork(request)).calls, "open"));
const counted = { requests: await count(request), turns: await count(() => thread.run(request)) };
process.stdout.write(JSON.stringify(counted));
