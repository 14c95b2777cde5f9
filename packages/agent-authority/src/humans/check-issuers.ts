import { AgentAuthorityError } from "../agent-authority-error.js";
import type { HumanIssuer } from "./human-issuer.js";

/**
 * Checks that issuers can stand side by side in one authority, as {@link createAuthority} does: each has a name and a URL of its own.
 *
 * @throws {AgentAuthorityError} `config_invalid`
 */
export function checkIssuers(humans: readonly HumanIssuer[]): void {
  const names = humans.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    throw invalid("name each issuer once: ids are kept apart by that name");
  }
  const urls = humans.map(({ issuer }) => issuer).filter((issuer) => issuer !== undefined);
  if (new Set(urls).size !== urls.length) {
    throw invalid("have each issuer's URL once: the second would never be asked");
  }
}

function invalid(rule: string): AgentAuthorityError {
  return new AgentAuthorityError("config_invalid", `humans must ${rule}`, {
    hint: "correct the configuration of the authority",
  });
}
