import { parseTrustedProxies } from "@countersign/agent-assertion/client-address";
import type { Run } from "../config/run.js";
import { CliError, usageError } from "../text/cli-error.js";

const VARIABLE = "COUNTERSIGN_TRUSTED_PROXIES";
const HINT = "name IP addresses and networks, for instance 10.0.0.0/8";

/**
 * Takes `--trusted-proxy`, else the list in `COUNTERSIGN_TRUSTED_PROXIES`, separated by commas.
 *
 * @returns the addresses and networks of the reverse proxies whose `X-Forwarded-For` is believed
 * @throws {CliError} `usage` for an option, `config_invalid` for a variable that is no address or network
 */
export function trustedProxiesOf(
  run: Run,
  option: readonly string[] | undefined,
): readonly string[] {
  if (option !== undefined) {
    if (parseTrustedProxies(option) !== undefined) return option;
    throw usageError("--trusted-proxy must be an IP address or a network", HINT);
  }
  const text = run.environment.get(VARIABLE) ?? "";
  const list = text.split(",").flatMap((entry) => entry.trim() || []);
  if (parseTrustedProxies(list) !== undefined) return list;
  throw new CliError("config_invalid", `${VARIABLE} must hold IP addresses and networks`, {
    hint: HINT,
  });
}
