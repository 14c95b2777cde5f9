// Lets a child process have the file handles of Yarn's Plug'n'Play, which replaces `fs` and leaves these methods out.
import { open } from "node:fs/promises";

const handle = await open(import.meta.filename);
for (const name of ["sync", "datasync"]) {
  handle.constructor.prototype[name] = () => {
    throw new Error("Method not implemented.");
  };
}
await handle.close();
