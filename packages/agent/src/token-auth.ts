import { type AuthSource, fixedAuth } from "@countersign/agent-identity";
import { AgentKeyError, CountersignError } from "@countersign/agent-key";
import { type AccessToken, checkReturnedToken } from "./connect-agent-options.js";

/** Who a token belongs to. */
export interface Human {
  readonly accountId: string;
  readonly userId: string;
}

/**
 * The login that an access token stands for.
 *
 * @param find - returns the human whom a token belongs to; called once for each token, and again after it rejected
 */
export function tokenAuth(
  accessToken: AccessToken,
  find: (token: string) => Promise<Human>,
): AuthSource {
  const read = readerOf(accessToken);
  let last: { readonly token: string; readonly login: Promise<AuthSource> } | undefined;
  const loginOf = (token: string): Promise<AuthSource> => {
    if (last?.token === token) return last.login;
    const login = find(token).then(({ accountId, userId }) =>
      fixedAuth({ kind: "human", accountId, userId, accessToken: token }),
    );
    last = { token, login };
    login.catch(() => {
      // Another token may have been asked about since.
      if (last?.login === login) last = undefined;
    });
    return login;
  };
  return {
    async current() {
      const token = await read();
      if (token === undefined) return undefined;
      checkReturnedToken(token);
      const login = await loginOf(token);
      return login.current();
    },
  };
}

function readerOf(accessToken: AccessToken): () => Promise<string | undefined> {
  if (typeof accessToken === "string") return async () => accessToken;
  return async () => {
    try {
      return await accessToken();
    } catch (error) {
      if (CountersignError.is(error)) throw error;
      // Without the text of the program's error, which may hold a secret.
      throw new AgentKeyError("internal", "accessToken() failed", {
        hint: "what accessToken() threw is cause.cause of the refusal; the next turn calls accessToken() again",
        cause: error,
      });
    }
  };
}
