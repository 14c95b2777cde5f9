import {
  createOperationsListener,
  createProxyMetrics,
  createVerifyingGateway,
  type VerifyingGatewayOptions,
} from "@countersign/assertion-proxy";

export async function serveWithProbes(options: VerifyingGatewayOptions): Promise<void> {
  const metrics = createProxyMetrics();
  const gateway = createVerifyingGateway({ ...options, metrics });
  const operations = createOperationsListener({ metrics, isReady: gateway.isReady });
  const { url } = await operations.listen({ port: 9400 });
  console.log(`probes on ${url}/readyz, figures on ${url}/metrics`);
  await gateway.listen({ host: "127.0.0.1", port: 4700 });
  process.once("SIGTERM", async () => {
    await gateway.close();
    // Last, so that /readyz answers 503 while the gateway drains.
    await operations.close();
  });
}
