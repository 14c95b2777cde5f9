import {
  AgentKeyError,
  type AgentSigner,
  type OptionShape,
  optionChecks,
} from "@countersign/agent-key";

const { checkOption, checkOptions } = optionChecks(AgentKeyError);

/**
 * The human's access token, or a function that returns the current one. If the function returns `undefined`, no human is logged in.
 *
 * The function is called at the beginning of each turn and before each request, so that a logout or another login counts at once. It should
 * keep the token, and fetch another one only before that one ends. If it throws, the turn or request rejects with a `TaskRegistrationError`
 * `internal` whose `cause.cause` is what the function threw; a `CountersignError` keeps its code.
 */
export type AccessToken = string | (() => string | undefined | Promise<string | undefined>);

/** Options of `connectAgent`. There are no others: an unknown one is refused. */
export interface ConnectAgentOptions {
  /** Base URL of the authority that registers the agent. `https`, or `http` to a loopback host. */
  readonly authority: string;
  /**
   * Proves to the authority for whom the agent works. Secret: it goes to the authority and nowhere else. At least one character, all of them
   * visible ASCII.
   */
  readonly accessToken: AccessToken;
  /**
   * Directory of the agent's key and of its threads' tasks, for instance `~/.my-agent`: absolute, or begins with `~/`. Made at the first
   * registration, for this user alone. Programs that name the same directory are the same agent.
   */
  readonly home: string;
  /**
   * The URLs whose requests are signed, at least one: origins, for instance `https://api.example`, or an origin with a path that holds `*`,
   * for instance `https://api.example/v1/*`. `https`, or `http` to a loopback host. Requests to other URLs carry no assertion.
   */
  readonly origins: readonly string[];
  /**
   * The agent's key, if it is kept elsewhere, for instance in an ssh-agent: the first one registers, the others are keys of a rotation. `home` then
   * keeps no private key. See `signers` of `AgentIdentityManager`. Default: the key is made here and kept in `home`.
   */
  readonly signers?: readonly AgentSigner[] | undefined;
  /**
   * Allows plain `http` to other machines, for `authority` and `origins` alike. Default false. Shows the human's token and every assertion to the
   * network: for a network that is trusted, such as that of one machine's containers.
   */
  readonly insecureHttp?: boolean | undefined;
}

const TOKEN_EXPECTED =
  "the human's access token, as countersign authority token create prints it, or a function that returns it";
const TOKEN_TEXT: OptionShape = { type: "text", expected: TOKEN_EXPECTED };
// What a header can carry.
const VISIBLE = /^[!-~]+$/;
const TOKEN_FUNCTION: OptionShape = { type: "function", expected: TOKEN_EXPECTED };

/**
 * Checks the options for callers without types.
 *
 * @throws {AgentKeyError} `config_invalid`, naming the first option that is missing, wrong or unknown
 */
export function checkConnectAgentOptions(options: ConnectAgentOptions): void {
  const isFunction = typeof Object(options).accessToken === "function";
  const shapes: Readonly<Record<keyof ConnectAgentOptions, OptionShape>> = {
    authority: {
      type: "text",
      expected: 'the base URL of an authority, for instance "https://authority.example"',
    },
    accessToken: isFunction ? TOKEN_FUNCTION : TOKEN_TEXT,
    home: { type: "text", expected: 'the path of a directory, for instance "~/.my-agent"' },
    origins: { type: "list", expected: 'a list of origins, for instance ["https://api.example"]' },
    signers: { type: "list", expected: "a list of AgentSigners, at least one", optional: true },
    insecureHttp: { type: "boolean", expected: "true or false", optional: true },
  };
  checkOptions(options, shapes, "refuse");
  if (typeof options.accessToken === "string") checkVisible("accessToken", options.accessToken);
}

/** Checks what the function `accessToken` returned. @throws {AgentKeyError} `config_invalid` */
export function checkReturnedToken(token: string): void {
  const name = "the result of accessToken()";
  checkOption(name, token, {
    type: "text",
    expected: "the human's access token, or undefined if no human is logged in",
  });
  checkVisible(name, token);
}

function checkVisible(name: string, token: string): void {
  if (VISIBLE.test(token)) return;
  throw new AgentKeyError(
    "config_invalid",
    `${name} must be visible ASCII characters alone, got a text with a space, a line end or another character`,
    { hint: `correct what is given as ${name}: the token alone, without the end of its line` },
  );
}
