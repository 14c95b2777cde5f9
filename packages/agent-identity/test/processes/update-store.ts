// Makes ten changes, one by one, in a home that others change at the same time: `update-store.ts HOME NAME`.
import { fileStore } from "../../src/index.js";

const [home = "", name = ""] = process.argv.slice(2);
const store = fileStore(home);
process.stdout.write("ready\n");
process.stdin.once("data", async () => {
  for (let i = 0; i < 10; i += 1) {
    await store.update((current) => ({ ...current, [`${name}${i}`]: true }));
  }
  process.stdin.destroy();
});
