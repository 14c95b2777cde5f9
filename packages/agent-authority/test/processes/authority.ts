// An authority in a process of its own. argv: database URL. Prints its URL; ends when its input does.
import { createAuthority, openStore } from "../../src/index.js";

const [database = ""] = process.argv.slice(2);
const store = await openStore(database);
const authority = await createAuthority({ store });
const { url } = await authority.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${url}\n`);
process.stdin.resume().on("end", async () => {
  await authority.close();
  await store.close();
});
