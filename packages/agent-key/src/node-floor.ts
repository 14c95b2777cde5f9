import type { OptionErrorClass } from "./countersign-error.js";

const FLOOR = { major: 22, minor: 19 } as const;

/**
 * Refuses an older Node than the packages are made for, before anything that needs a newer one is loaded or called.
 *
 * @param errorClass - what is thrown, with the code `config_invalid`
 * @param version - such as `24.11.0`
 */
export function assertNode(
  errorClass: OptionErrorClass<"config_invalid">,
  version: string = process.versions.node,
): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > FLOOR.major || (major === FLOOR.major && minor >= FLOOR.minor)) return;
  throw new errorClass(
    "config_invalid",
    `Countersign needs Node ${FLOOR.major}.${FLOOR.minor} or newer; this is ${version}`,
    { hint: "install a newer one: https://nodejs.org" },
  );
}
