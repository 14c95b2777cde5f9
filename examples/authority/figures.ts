import {
  createAuthority,
  createAuthorityMetrics,
  createOperationsListener,
  openStore,
} from "@countersign/agent-authority";

export async function serveWithFigures(database: string, port: number) {
  const store = await openStore(database);
  const metrics = createAuthorityMetrics({ version: "1.0.0" });
  const authority = await createAuthority({ store, metrics });
  const operations = createOperationsListener({ metrics, isReady: () => authority.isReady() });
  const { url } = await operations.listen({ port });
  const close = async () => {
    await authority.close();
    await operations.close();
    await store.close();
  };
  return { authority, url, close };
}
