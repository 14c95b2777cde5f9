import { isatty } from "node:tty";
import { isLoopbackHost, parseOrigin } from "@countersign/agent-key";
import {
  type CredentialEnds,
  createSigningProxy,
  type SigningListenOptions,
  type SigningProxy,
} from "@countersign/assertion-proxy";
import { type ListenAddress, parseListenAddress } from "../config/listen-address.js";
import type { Run } from "../config/run.js";
import { pathOption } from "../home/home.js";
import { ensureProxyToken, type ProxyToken, readProxyToken } from "../home/proxy-token.js";
import { readTokenEnd } from "../home/token-claims.js";
import { allowedBearerOrigins } from "../options/allowed-origins.js";
import { closeOptionsOf, type DrainOptions } from "../options/drain-option.js";
import { parseBaseUrl } from "../options/http-url.js";
import { type OperationsOptions, openOperations } from "../options/operations-option.js";
import {
  type KeptOptions,
  keptOf,
  type TimeoutOptions,
  timeoutsOf,
} from "../options/proxy-limit-options.js";
import { ServedSecrets } from "../options/served-secrets.js";
import { assertCanListen } from "../serve/assert-can-listen.js";
import { type AuditOptions, withAuditFile, withFreeStdout } from "../serve/audit-file.js";
import { watchCredentialEnds } from "../serve/credential-ends.js";
import { type RunningServer, serveUntilSignal } from "../serve/serve-until-signal.js";
import {
  type AgentSession,
  followTasks,
  openAgentSession,
  requireCredentialFor,
  requireLogin,
} from "../session/agent-session.js";
import { usageError } from "../text/cli-error.js";

/** Options of `proxy`. */
export interface ProxyOptions
  extends AuditOptions,
    DrainOptions,
    OperationsOptions,
    TimeoutOptions,
    KeptOptions {
  readonly listen?: string;
  readonly socket?: string;
  readonly upstream?: string;
  readonly clientTokenFile?: string;
  readonly open?: boolean;
  readonly threadHeader?: readonly string[];
  readonly forwardHeader?: readonly string[];
  readonly allowRemote?: boolean;
  readonly allowHost?: readonly string[];
  readonly binding?: boolean;
  readonly bearerOrigin?: readonly string[];
}

/** How clients of one listener show that they may use it. */
type Client = { readonly [member in keyof ProxyToken]?: ProxyToken[member] | undefined };

const NO_TOKEN: Client = {};
const STDIN_FILE = 0;

/** `proxy`: signs the requests of local programs as this machine's agent, until the process is asked to end. */
export async function proxy(run: Run, options: ProxyOptions): Promise<void> {
  const address = addressOf(options);
  if (options.upstream === undefined) {
    throw usageError("--upstream is missing", "add --upstream URL, the API that requests go to");
  }
  const upstream = parseBaseUrl(run, { url: options.upstream, from: "--upstream" });
  if (address !== undefined) await assertCanListen(address);
  const bearerOrigins = await allowedBearerOrigins(run, options.bearerOrigin);
  await using session = await openAgentSession(run, bearerOrigins);
  await requireLogin(session);
  // Features are decided at the start: without this every request would be refused for as long as the process runs.
  requireCredentialFor(session, parseOrigin(upstream, { insecureHttp: true }));
  const closing = closeOptionsOf(options);
  const settings = {
    upstream,
    ...run.http,
    source: (id: string | undefined) =>
      id === undefined ? session.tasks.run() : session.tasks.thread(id),
    threadHeaders: options.threadHeader,
    forwardHeaders: options.forwardHeader,
    allowRemote: options.allowRemote,
    allowedHosts: options.allowHost,
    limits: timeoutsOf(options),
    ...keptOf(options),
    binding: options.binding,
  };
  // A wrong option is refused here, before the token or a file is made.
  createSigningProxy(settings);
  tellOf(run, session, upstream);
  const opened: SigningProxy[] = [];
  const isReady = () => opened.length > 0 && opened.every((signing) => signing.isReady());
  await using operations = await openOperations(run, options, { isReady });
  using secrets = new ServedSecrets(run);
  const client =
    address === undefined
      ? NO_TOKEN
      : await clientOf(run, options, secrets, (token) => {
          for (const signing of opened) signing.setClientToken(token);
        });
  const { metrics } = operations;
  using _ends = watchCredentialEnds(run.output, metrics, () => loginEnd(session));
  await withAuditFile(run, options, metrics, async (audit) => {
    const open = async (where: SigningListenOptions, client: Client): Promise<RunningServer> => {
      const signing = createSigningProxy({
        ...settings,
        clientToken: client.token,
        ...audit,
        metrics,
      });
      const { url } = await signing.listen(where);
      opened.push(signing);
      const described = { client_token_file: client.file ?? null, ...operations.described };
      return { url, described, close: () => signing.close(closing) };
    };
    const servers: RunningServer[] = [];
    try {
      if (address !== undefined) servers.push(await open(address, client));
      if (options.socket !== undefined) {
        // It asks for no token, but knows the one of the address, so that a client's copy of it ends here too.
        const { token } = client;
        servers.push(await open({ socketPath: pathOption(options.socket, "--socket") }, { token }));
      }
    } catch (error) {
      await Promise.all(servers.map((server) => server.close()));
      throw error;
    }
    if (client.file !== undefined) run.output.note(`clients present the token in ${client.file}`);
    // At a terminal SIGHUP says that this has gone, and the proxy ends with it.
    secrets.start({ onSighup: !isatty(STDIN_FILE) });
    await serveUntilSignal(withFreeStdout(run, options), servers);
  });
}

// Everything that can be seen to be wrong before anything is opened or made.
function addressOf(options: ProxyOptions): ListenAddress | undefined {
  const { listen, socket, open = false, clientTokenFile, allowHost, allowRemote = false } = options;
  if (listen === undefined) {
    if (socket === undefined) {
      throw usageError("nowhere to listen", "add --listen HOST:PORT, or --socket PATH");
    }
    // A socket's permissions say who may use it.
    const surplus = Object.entries({
      "--open": open,
      "--client-token-file": clientTokenFile,
      "--allow-host": allowHost,
    }).find(([, value]) => value !== undefined && value !== false);
    if (surplus === undefined) return undefined;
    throw usageError(
      `${surplus[0]} is for --listen`,
      "a Unix socket takes no client token, and any Host",
    );
  }
  const address = parseListenAddress(listen);
  if (open && clientTokenFile !== undefined) {
    throw usageError("--open and --client-token-file exclude each other");
  }
  if (open && allowHost !== undefined) {
    throw usageError(
      "--open and --allow-host exclude each other",
      "a page in a browser could reach the proxy by that name: leave --open out, and give clients the token",
    );
  }
  if (isLoopbackHost(address.host)) return address;
  if (!allowRemote) {
    throw usageError(
      `--listen: ${address.host} can be reached by other machines`,
      "listen on 127.0.0.1; or add --allow-remote, and every program that has the client token acts as this agent",
    );
  }
  if (open) {
    throw usageError(
      "--open is for loopback",
      "leave --open out: every program that reaches the proxy would act as this machine's agent",
    );
  }
  return address;
}

async function clientOf(
  run: Run,
  options: ProxyOptions,
  secrets: ServedSecrets,
  take: (token: string) => void,
): Promise<Client> {
  if (options.open === true) {
    run.output.warn("every program of this machine may act as its agent (--open)");
    return { token: "open" };
  }
  const { clientTokenFile } = options;
  const own =
    clientTokenFile === undefined ? await ensureProxyToken(run.home, run.signal) : undefined;
  const file = own?.file ?? pathOption(clientTokenFile ?? "", "--client-token-file");
  const token = await secrets.read({
    what: "the client token",
    sources: [`file:${file}`],
    read: async () => (await readProxyToken(file, own && "the client token")).token,
    take,
  });
  return { token, file };
}

async function loginEnd({ store }: AgentSession): Promise<CredentialEnds> {
  const { login } = await store.load();
  // An identity JWT brings its agent with it, which goes on.
  return login?.kind === "human" ? { login: readTokenEnd(login.access_token) } : {};
}

function tellOf(run: Run, session: AgentSession, upstream: string): void {
  if (!session.identities.enabled) {
    run.output.warn(
      `the feature use_agent_identity is off: requests go to ${upstream} with the human's token`,
    );
  }
  // No person waits for the proxy at a terminal, so it reports failures but no progress.
  followTasks(run, session, { show: () => undefined, waited: () => undefined });
  session.tasks.on("failed", ({ scope, error }) => {
    run.output.warn(`no task for the thread ${String(scope)}: ${error.message} (${error.code})`);
  });
}
