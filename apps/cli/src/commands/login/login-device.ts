import type { CredentialStore } from "@countersign/agent-identity";
import { escapeText } from "@countersign/agent-key/escaping";
import type { Run } from "../../config/run.js";
import { readSecretSource } from "../../home/secrets.js";
import { saveHumanLogin } from "../../login/save-human-login.js";
import { askTokenOwner } from "../../login/token-owner.js";
import { parseBaseUrl } from "../../options/http-url.js";
import { usageError } from "../../text/cli-error.js";
import { withProgress } from "../../text/progress.js";

/** The options of `login` for the device login of an issuer. */
export interface DeviceOptions {
  readonly device?: boolean;
  readonly issuer?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly scope?: string;
  readonly audience?: string;
  readonly resource?: string;
}

/** A device login as it was asked for, checked. */
export interface DeviceLogin {
  /** As it was written: issuers are compared character by character. */
  readonly issuer: string;
  readonly clientId: string;
  /** `env:VAR` or `file:PATH`. */
  readonly clientSecret: string | undefined;
  readonly scope: string;
  readonly audience: string | undefined;
  readonly resource: string | undefined;
}

/** What a device login ends in. */
export interface DeviceLoginTarget {
  readonly store: CredentialStore;
  /** Normalised. */
  readonly authority: string;
  readonly proof: "bearer" | "biscuit";
  readonly ephemeralSeconds: number | undefined;
  readonly device: DeviceLogin;
}

/**
 * Checks the options of a device login.
 *
 * @returns `undefined` when none was asked for
 * @throws {CliError} `usage` when one is missing or stands alone; `config_invalid` when the issuer is no http(s) URL
 */
export function parseDeviceOptions(run: Run, options: DeviceOptions): DeviceLogin | undefined {
  const { device, issuer, clientId, clientSecret, scope, audience, resource } = options;
  if (device !== true) {
    const named = Object.entries({
      "--issuer": issuer,
      "--client-id": clientId,
      "--client-secret": clientSecret,
      "--scope": scope,
      "--audience": audience,
      "--resource": resource,
    }).find(([, value]) => value !== undefined);
    if (named === undefined) return undefined;
    throw usageError(`${named[0]} is for the device login of an issuer alone`, "add --device");
  }
  if (issuer === undefined || clientId === undefined) {
    throw usageError(
      "--device takes --issuer and --client-id",
      "ask the operator of the authority for its issuer, and for the client id of the command line there",
    );
  }
  parseBaseUrl(run, { url: issuer, from: "--issuer" });
  return { issuer, clientId, clientSecret, scope: scope ?? "openid", audience, resource };
}

/** `login --device`: the human confirms in a browser anywhere, and the issuer's token is kept for the authority. */
export async function loginByDevice(run: Run, target: DeviceLoginTarget): Promise<void> {
  const { store, authority, proof, ephemeralSeconds, device } = target;
  // Not used here: it is only taken out of the environment, so that no other program gets it.
  run.environment.takeSecret("COUNTERSIGN_ACCESS_TOKEN");
  const { clientSecret: source } = device;
  const clientSecret =
    source === undefined
      ? undefined
      : await readSecretSource(run.environment, source, "--client-secret");
  // Loaded here: no other command needs the client of issuers.
  const { startDeviceGrant } = await import("../../login/device-grant.js");
  const { issuer } = device;
  const grant = await withProgress(run.output, `asking ${issuer} for a code`, () =>
    startDeviceGrant({ ...device, clientSecret, signal: run.signal, http: run.http }),
  );
  run.output.note(`open ${escapeText(grant.verificationUrl)}`);
  run.output.note(`and enter the code ${escapeText(grant.userCode)}`);
  if (grant.completeUrl !== undefined) {
    run.output.note(`or open ${escapeText(grant.completeUrl)} and compare the code`);
  }
  const minutes = Math.ceil(grant.expiresInSeconds / 60);
  const state = `waiting for the code to be confirmed (it lives ${minutes} min)`;
  const token = await withProgress(run.output, state, () => grant.token());
  const whose = await askTokenOwner(run, authority, token);
  await saveHumanLogin(run, { store, authority, proof, ephemeralSeconds, token, ...whose });
}
