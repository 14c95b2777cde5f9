// An authority in a process of its own. argv: database URL, and JSON of more options, with the time at which its clock stands still as
// `nowMs`. Prints its URL; ends when its input does.
import { flushCompileCache } from "node:module";
import { createAuthority, openStore } from "../../src/index.js";

const [database = "", json = "{}"] = process.argv.slice(2);
const { nowMs, ...options } = JSON.parse(json);
const store = await openStore(database, nowMs === undefined ? {} : { now: () => nowMs });
const authority = await createAuthority({ store, ...options });
const { url } = await authority.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${url}\n`);
// Killed processes leave nothing to the next one otherwise.
flushCompileCache();
process.stdin.resume().on("end", async () => {
  await authority.close();
  await store.close();
});
