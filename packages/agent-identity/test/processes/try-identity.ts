// Asks for an identity as a given user and prints what came of it as JSON: `try-identity.ts AUTHORITY HOME TOKEN [UID]`.
import { AgentIdentityManager, fileStore, fixedAuth } from "../../src/index.js";

const [authority = "", home = "", accessToken = "", uid] = process.argv.slice(2);
if (uid !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(Number(uid));
  process.setuid?.(Number(uid));
}
const manager = new AgentIdentityManager({
  authority,
  auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken }),
  store: fileStore(home),
  features: { isEnabled: () => true },
});
const outcome = await manager.ensure().then(
  (identity) => ({ agent: identity?.agentRuntimeId }),
  (error: unknown) => {
    const { code, hint, message, retryable } = Object(error);
    return { code, hint, message, retryable };
  },
);
process.stdout.write(`${JSON.stringify(outcome)}\n`);
