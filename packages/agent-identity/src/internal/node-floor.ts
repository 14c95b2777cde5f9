import { AgentIdentityError } from "../agent-identity-error.js";

const FLOOR = { major: 22, minor: 19 } as const;

/**
 * Refuses an older Node than this package is made for, before anything that needs a newer one is loaded.
 *
 * @param version - such as `24.11.0`
 * @throws {AgentIdentityError} `config_invalid`
 */
export function assertNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > FLOOR.major || (major === FLOOR.major && minor >= FLOOR.minor)) return;
  throw new AgentIdentityError(
    "config_invalid",
    `Countersign needs Node ${FLOOR.major}.${FLOOR.minor} or newer; this is ${version}`,
    { hint: "install a newer one: https://nodejs.org" },
  );
}
