import type { AuthorityRetry } from "@countersign/agent-identity/authority-client";
import type { FeatureSet } from "@countersign/feature-flags";
import { createEnvironment, type Environment } from "../home/environment.js";
import { inspectHome, resolveHome } from "../home/home.js";
import { createOutput, type Output } from "../text/output.js";
import { type Config, loadConfig } from "./config.js";
import type { FeatureKey } from "./features.js";

/** The options that every command has. */
export interface CommonOptions {
  readonly json?: boolean | undefined;
  readonly enable: readonly string[];
  readonly disable: readonly string[];
  /** `--insecure-http`, of the commands that have it. */
  readonly insecureHttp?: boolean | undefined;
}

// A person does not notice a shorter wait.
const QUIET_MS = 1000;

/** What one run of a command works with. */
export interface Run {
  readonly options: CommonOptions;
  readonly environment: Environment;
  readonly output: Output;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** What URLs may be, for everything that parses one. */
  readonly http: { readonly insecureHttp: boolean };
  /** How an authority is asked. A person waits for the answer, so there are few attempts: an outage is reported soon. */
  readonly asking: {
    readonly insecureHttp: boolean;
    readonly attempts: number;
    /** Says how long the command waits for a quota. */
    readonly onRetry: (retry: AuthorityRetry) => void;
  };
  /** The path of the home; it may not exist. */
  readonly home: string;
  /** Loads the configuration of the home, once; warns of what is odd about it. */
  config(): Promise<Config>;
  /** Decides the features, once; warns as they ask for. */
  features(): Promise<FeatureSet<FeatureKey>>;
  /** Prints a warning unless this run did so already. */
  warnOnce(message: string): void;
}

/** Makes the {@link Run} of this process. */
export function createRun(options: CommonOptions, signal: AbortSignal): Run {
  const environment = createEnvironment(process.env);
  const output = createOutput({
    json: options.json === true,
    stdout: process.stdout,
    stderr: process.stderr,
  });
  const home = resolveHome(environment);
  const config = once(async () => {
    await inspectHome(home);
    const loaded = await loadConfig(home);
    for (const warning of loaded.warnings) output.warn(warning);
    return loaded;
  });
  const features = once(async () => {
    const { formatWarning, loadFeatures } = await import("./features.js");
    const { enable, disable } = options;
    const set = loadFeatures({ config: await config(), environment, enable, disable });
    for (const warning of set.warnings) output.warn(formatWarning(warning));
    return set;
  });
  const warned = new Set<string>();
  const warnOnce = (message: string): void => {
    if (!warned.has(message)) output.warn(message);
    warned.add(message);
  };
  const http = { insecureHttp: options.insecureHttp === true };
  const onRetry = ({ delayMs, error }: AuthorityRetry): void => {
    if (error.code !== "rate_limited" || delayMs <= QUIET_MS) return;
    const seconds = Math.ceil(delayMs / 1000);
    output.note(`too many requests: asking again in ${seconds} s (${error.code})`);
  };
  const asking = { ...http, attempts: 3, onRetry };
  return { options, environment, output, signal, http, asking, home, config, features, warnOnce };
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load();
    return loading;
  };
}

/**
 * What a command does, once its module is loaded.
 *
 * @param operands - the arguments that are no options, in their order
 * @returns the exit code, where it is not 0 although nothing went wrong
 */
export type CommandHandler<Options> = (
  run: Run,
  options: Options,
  operands: readonly string[],
) => Promise<number | undefined> | Promise<void>;
