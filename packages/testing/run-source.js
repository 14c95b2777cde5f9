// Lets a child process run this package's source as it is: `./x.js` in an import is `./x.ts` here.
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, nextResolve) {
    const isSource = context.parentURL?.endsWith(".ts") && specifier.startsWith(".");
    return nextResolve(isSource ? specifier.replace(/\.js$/, ".ts") : specifier, context);
  },
});
