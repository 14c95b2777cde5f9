import { Agent, Client, type Dispatcher, Pool } from "undici";
import { onTestFinished } from "vitest";
import { AssertionSigner } from "../src/index.js";
import { type AssertionInterceptorOptions, assertionInterceptor } from "../src/undici.js";
import { NOW } from "./fixtures.js";
import { ScriptedSource, start } from "./signed-fetch.js";

/** What stands beside the interceptor, in the order of `compose`. */
export interface Beside {
  readonly before?: readonly Dispatcher.DispatcherComposeInterceptor[];
  readonly after?: readonly Dispatcher.DispatcherComposeInterceptor[];
}

/** A server, and an undici dispatcher that signs for it with the first credential. */
export async function setUpDispatcher(
  options: Partial<AssertionInterceptorOptions> = {},
  { before = [], after = [] }: Beside = {},
) {
  const server = await start();
  const source = new ScriptedSource();
  const warnings: string[] = [];
  const interceptor = assertionInterceptor(source, {
    origins: [server.url],
    signer: new AssertionSigner({ now: () => NOW }),
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  const compose = <D extends Dispatcher>(dispatcher: D) => {
    onTestFinished(() => dispatcher.destroy());
    return dispatcher.compose(...before, interceptor, ...after);
  };
  return {
    server,
    source,
    warnings,
    interceptor,
    agent: compose(new Agent()),
    client: () => compose(new Client(server.url)),
    pool: () => compose(new Pool(server.url)),
  };
}
