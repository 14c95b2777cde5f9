export { expectError, expectRejection, expectThrow } from "./expect-rejection.js";
export { openAuthority } from "./open-authority.js";
export { openDirectory } from "./open-directory.js";
export { openGate } from "./open-gate.js";
export { runTogether, sourceCommand, startSource } from "./source-program.js";
export { startWireTap } from "./start-wire-tap.js";
export type { WireTap } from "./wire-tap.js";
