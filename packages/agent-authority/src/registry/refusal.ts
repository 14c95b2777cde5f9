import { AgentAuthorityError } from "../agent-authority-error.js";

/**
 * A request that the authority answers with a refusal. What the transaction did before stays done, a spent biscuit above all; so every
 * check stands before the first change.
 */
export class Refusal extends AgentAuthorityError {}
