import type { Run } from "../../config/run.js";
import { readAccessToken } from "../../home/secrets.js";
import { readTokenClaims } from "../../home/token-claims.js";
import { saveHumanLogin } from "../../login/save-human-login.js";
import { askTokenOwner } from "../../login/token-owner.js";
import { resolveAuthority } from "../../options/authority-option.js";
import { openCredentialStore } from "../../options/credential-store-option.js";
import { parseEphemeral } from "../../options/ephemeral-option.js";
import { type HumanOptions, namedHuman } from "../../options/principal-options.js";
import { usageError } from "../../text/cli-error.js";
import { type DeviceOptions, loginByDevice, parseDeviceOptions } from "./login-device.js";
import { loginByIdentityJwt } from "./login-identity-jwt.js";

/** Options of `login`. */
export interface LoginOptions extends HumanOptions, DeviceOptions {
  readonly authority?: string;
  readonly proof?: "bearer" | "biscuit";
  readonly ephemeral?: string | true;
  readonly tokenStdin?: boolean;
  readonly identityJwtStdin?: boolean;
  readonly keySet?: string;
}

/** `login`. */
export async function login(run: Run, options: LoginOptions): Promise<void> {
  const byIdentityJwt = options.identityJwtStdin === true;
  if (byIdentityJwt) refuseHumanOptions(options);
  else if (options.keySet !== undefined) {
    throw usageError("--key-set is for identity JWTs alone", "add --identity-jwt-stdin");
  }
  const device = parseDeviceOptions(run, options);
  if (device !== undefined) refuseTokenOptions(options);
  const ephemeralSeconds = parseEphemeral(options.ephemeral);
  const named = namedHuman(options);
  const store = await openCredentialStore(run);
  const stored = await store.load();
  const authority = await resolveAuthority(run, options.authority, stored.login?.authority);
  const { proof = "bearer" } = options;
  if (byIdentityJwt) {
    await loginByIdentityJwt(run, { store, authority, keySet: options.keySet });
    return;
  }
  if (device !== undefined) {
    await loginByDevice(run, { store, authority, proof, ephemeralSeconds, device });
    return;
  }
  const token = await readAccessToken(run.environment, options.tokenStdin === true, process.stdin);
  const whose = named ?? readTokenClaims(token) ?? (await askTokenOwner(run, authority, token));
  await saveHumanLogin(run, { store, authority, proof, ephemeralSeconds, token, ...whose });
}

function refuseHumanOptions(options: LoginOptions): void {
  const { account, user, proof, ephemeral, tokenStdin, device } = options;
  const named = firstNamed({
    "--account": account,
    "--user": user,
    "--proof": proof,
    "--ephemeral": ephemeral,
    "--token-stdin": tokenStdin,
    "--device": device,
  });
  if (named === undefined) return;
  throw usageError(
    `${named} and --identity-jwt-stdin exclude each other`,
    "an identity JWT says itself whose agent it is",
  );
}

function refuseTokenOptions({ account, user, tokenStdin }: LoginOptions): void {
  const named = firstNamed({ "--account": account, "--user": user, "--token-stdin": tokenStdin });
  if (named === undefined) return;
  throw usageError(
    `${named} and --device exclude each other`,
    "the token comes from the issuer, and the authority says whose it is",
  );
}

function firstNamed(options: Readonly<Record<string, unknown>>): string | undefined {
  return Object.entries(options).find(([, value]) => value !== undefined)?.[0];
}
