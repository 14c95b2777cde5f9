import { registerHooks } from "node:module";

// Lets Node run this package's sources as they are: its types are erasable, only the imports name the built files.
registerHooks({
  resolve(specifier, context, next) {
    const ours = specifier.startsWith(".") && context.parentURL?.endsWith(".ts");
    return next(ours ? specifier.replace(/\.js$/, ".ts") : specifier, context);
  },
});
