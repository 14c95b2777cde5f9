import { numberIn, type OptionShape, parseAuthority } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { checkOption, checkOptions, FLAG, REPLAY_STORE } from "../internal/options.js";
import type { ReplayStore } from "./replay-store.js";

const DEFAULT_MAX_BODY_BYTES = 16 * 1024 * 1024;
const LARGEST_MAX_BODY_BYTES = 1024 * 1024 * 1024;

const SHAPES: Readonly<Record<string, OptionShape>> = {
  publicUrl: { type: "text", expected: "the URL of the server's root as clients write it" },
  insecureHttp: FLAG,
  replayStore: REPLAY_STORE,
  maxBodyBytes: numberIn(1, LARGEST_MAX_BODY_BYTES),
};

/** What a verifier asks of request bindings: nothing, that a binding is valid if there is one, or that there is a valid one. */
export type BindingPolicy = "off" | "accept" | "require";

/** How a verifier treats bound requests. */
export interface BindingOptions {
  /**
   * - `off`: the verifier ignores bindings.
   * - `accept`: a binding must be valid if there is one. For a roll-out only: it protects nothing, because an attacker who captures an
   *   assertion can send it without its binding. Agents with the granted capability `binding` are held to `require`.
   * - `require`: every request must be bound.
   */
  readonly policy: BindingPolicy;
  /**
   * The URL of the server's root as clients write it: its origin, and the path that a proxy strips, if one does. Together with the raw request
   * target it is the `@target-uri`; the field `Host` is never used. Required unless `policy` is `off`. https, or http to loopback.
   */
  readonly publicUrl?: string | undefined;
  /** Allow a `publicUrl` of plain http to other machines. Anyone on the network path can then read every assertion. Default false. */
  readonly insecureHttp?: boolean | undefined;
  /** Where nonces are spent. Shared by all instances of the server. Required unless `policy` is `off`. */
  readonly replayStore?: ReplayStore | undefined;
  /** The longest body that is read to be compared with its digest, bytes. 1 to 1 GiB. Default 16 MiB. */
  readonly maxBodyBytes?: number | undefined;
}

/** Checked {@link BindingOptions} of a verifier that looks at bindings. */
export interface BindingSettings {
  readonly policy: "accept" | "require";
  readonly publicUrl: string;
  readonly replayStore: ReplayStore;
  readonly maxBodyBytes: number;
}

/**
 * Checks the options once, at start.
 *
 * @returns `undefined` when bindings are not looked at
 * @throws {AgentAssertionError} `config_invalid` for an unknown policy, a missing `publicUrl` or `replayStore`, `maxBodyBytes` out of range
 * @throws {AgentKeyError} `config_invalid` when `publicUrl` is no URL of a server
 */
export function settleBinding(options: BindingOptions | undefined): BindingSettings | undefined {
  if (options === undefined) return undefined;
  const { policy, publicUrl, replayStore, maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = options;
  checkOption("binding.policy", policy, { type: "choice", choices: ["off", "accept", "require"] });
  if (policy === "off") return undefined;
  if (publicUrl === undefined) throw invalid(`request binding "${policy}" needs a publicUrl`);
  if (replayStore === undefined) throw invalid(`request binding "${policy}" needs a replayStore`);
  checkOptions(options, SHAPES);
  const { insecureHttp } = options;
  return {
    policy,
    publicUrl: parseAuthority(publicUrl, { insecureHttp }, "publicUrl"),
    replayStore,
    maxBodyBytes,
  };
}

function invalid(message: string): AgentAssertionError {
  return new AgentAssertionError("config_invalid", message, {
    hint: "give the URL of the server as clients write it, and where spent nonces are kept",
  });
}
