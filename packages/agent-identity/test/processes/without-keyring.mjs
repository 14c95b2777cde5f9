// Lets a child process run as where the optional package @napi-rs/keyring was not installed.
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, nextResolve) {
    return nextResolve(specifier === "@napi-rs/keyring" ? "@napi-rs/none" : specifier, context);
  },
});
