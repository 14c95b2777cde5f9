// Writes the URLs of the modules that a program loads after this one to its stderr, as JSON.
import { registerHooks } from "node:module";

const urls = [];
registerHooks({
  load(url, context, nextLoad) {
    urls.push(url);
    return nextLoad(url, context);
  },
});
process.on("exit", () => {
  process.stderr.write(JSON.stringify(urls));
});
