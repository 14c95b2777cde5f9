import { type AuthSource, fixedAuth } from "@countersign/agent-identity";
import { type AccessToken, checkReturnedToken } from "./connect-agent-options.js";

/** Who a token belongs to. */
export interface Human {
  readonly accountId: string;
  readonly userId: string;
}

/**
 * The login that an access token stands for.
 *
 * @param find - tells whose token it is; asked once for each token, again after it rejected
 */
export function tokenAuth(
  accessToken: AccessToken,
  find: (token: string) => Promise<Human>,
): AuthSource {
  const read = typeof accessToken === "string" ? () => accessToken : accessToken;
  let last: { readonly token: string; readonly login: Promise<AuthSource> } | undefined;
  const loginOf = (token: string): Promise<AuthSource> => {
    if (last?.token === token) return last.login;
    const login = find(token).then(({ accountId, userId }) =>
      fixedAuth({ kind: "human", accountId, userId, accessToken: token }),
    );
    const entry = { token, login };
    last = entry;
    login.catch(() => {
      if (last === entry) last = undefined;
    });
    return login;
  };
  return {
    async current() {
      const token = await read();
      if (token === undefined) return undefined;
      checkReturnedToken(token);
      return await (await loginOf(token)).current();
    },
  };
}
