import { parseOrigin } from "@countersign/agent-key";
import * as oidc from "openid-client";
import { CliError } from "../text/cli-error.js";
import { deviceGrantError, expiredCodeError } from "./device-grant-error.js";
import { createIssuerFetch } from "./issuer-fetch.js";

const TIMEOUT_SECONDS = 10;
// However long an issuer says that its code lives, or that its client should wait.
const MAX_LIFE_SECONDS = 3600;
const MIN_INTERVAL_SECONDS = 1;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Options of {@link startDeviceGrant}. */
export interface DeviceGrantOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** Secret. */
  readonly clientSecret: string | undefined;
  readonly scope: string;
  /** For issuers that ask for the API by `audience`. */
  readonly audience: string | undefined;
  /** RFC 8707. */
  readonly resource: string | undefined;
  readonly http: { readonly insecureHttp: boolean };
  readonly signal: AbortSignal;
}

/** A code that waits for its human. */
export interface DeviceGrant {
  readonly verificationUrl: string;
  /** The same with the code in it, where the issuer has one. */
  readonly completeUrl: string | undefined;
  readonly userCode: string;
  readonly expiresInSeconds: number;
  /**
   * Waits for the confirmation and gives the token: the access token where an audience or resource was asked for, else the ID token.
   *
   * @throws {CliError} `refused`, `timeout`, `cancelled`, `bad_response`, `unreachable`
   */
  token(): Promise<string>;
}

/**
 * Asks an issuer for a code of its device login (RFC 8628). Where the issuer says that its endpoints are is followed only by https, or http
 * on loopback; redirects are not. A refresh token, where one comes, is dropped.
 *
 * @throws {CliError} `config_invalid` when the issuer has no device login; `refused`, `cancelled`, `bad_response`, `unreachable`
 */
export async function startDeviceGrant(options: DeviceGrantOptions): Promise<DeviceGrant> {
  const { issuer, audience, resource, http, signal } = options;
  const named = (error: unknown) => deviceGrantError(error, issuer, signal);
  const config = await discover(options).catch((error: unknown) => {
    throw named(error);
  });
  if (config.serverMetadata().device_authorization_endpoint === undefined) {
    throw new CliError("config_invalid", `${issuer} has no device login`, {
      hint: "check --issuer, or log in with --token-stdin",
    });
  }
  const wanted = {
    ...(audience === undefined ? {} : { audience }),
    ...(resource === undefined ? {} : { resource }),
  };
  const answer = await oidc
    .initiateDeviceAuthorization(config, { scope: options.scope, ...wanted })
    .catch((error: unknown) => {
      throw named(error);
    });
  const lifeSeconds = Math.min(answer.expires_in, MAX_LIFE_SECONDS);
  const expiry = AbortSignal.timeout(lifeSeconds * 1000);
  const { verification_uri_complete: completeUrl, interval = 5 } = answer;
  return {
    verificationUrl: checkShownUrl(answer.verification_uri, issuer, http),
    completeUrl: completeUrl && checkShownUrl(completeUrl, issuer, http),
    userCode: answer.user_code,
    expiresInSeconds: lifeSeconds,
    async token() {
      // A resource is asked for again with the code (RFC 8707 §2.2).
      const again = resource === undefined ? {} : { resource };
      const polled = { ...answer, interval: Math.max(interval, MIN_INTERVAL_SECONDS) };
      const both = AbortSignal.any([signal, expiry]);
      const tokens = await oidc
        .pollDeviceAuthorizationGrant(config, polled, again, { signal: both })
        .catch((error: unknown) => {
          throw expiry.aborted && !signal.aborted ? expiredCodeError(issuer, error) : named(error);
        });
      const isForApi = audience !== undefined || resource !== undefined;
      return checkToken(isForApi ? tokens.access_token : tokens.id_token, isForApi, issuer);
    },
  };
}

async function discover(options: DeviceGrantOptions): Promise<oidc.Configuration> {
  const { issuer, clientId, clientSecret, http, signal } = options;
  const url = new URL(issuer);
  const client = clientSecret === undefined ? oidc.None() : oidc.ClientSecretPost(clientSecret);
  return oidc.discovery(url, clientId, undefined, client, {
    // Which plain http that is, the fetch below decides.
    execute: url.protocol === "http:" ? [oidc.allowInsecureRequests] : [],
    [oidc.customFetch]: createIssuerFetch(signal, http),
    timeout: TIMEOUT_SECONDS,
  });
}

// A person is told to open it.
function checkShownUrl(url: string, issuer: string, http: DeviceGrantOptions["http"]): string {
  try {
    parseOrigin(url, http);
    return url;
  } catch (error) {
    throw new CliError("bad_response", `${issuer} names no URL to confirm its code at`, {
      cause: error,
      hint: "check --issuer",
    });
  }
}

function checkToken(token: string | undefined, isForApi: boolean, issuer: string): string {
  if (token !== undefined && JWT.test(token)) return token;
  throw new CliError(
    "bad_response",
    isForApi
      ? `the access token of ${issuer} is no JWT, which no authority can check`
      : `${issuer} gave no ID token`,
    {
      hint: isForApi
        ? "check --audience or --resource: it must be an API that the issuer gives JWTs for"
        : "add openid to --scope, or name the authority's API by --audience or --resource",
    },
  );
}
