import { createAuthority, openStore } from "@countersign/agent-authority";

export async function serve(database: string) {
  const store = await openStore(database);
  const authority = await createAuthority({ store });
  const { token } = await authority.registry.createAccessToken({
    accountId: "acct-1",
    userId: "user-1",
    role: "human",
    ttlSeconds: 24 * 3600,
  });
  const { url } = await authority.listen({ host: "127.0.0.1", port: 0 });
  const close = async () => {
    await authority.close();
    await store.close();
  };
  return { url, token, close };
}
