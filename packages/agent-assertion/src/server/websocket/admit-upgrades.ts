import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { numberIn, type OptionShape } from "@countersign/agent-key";
import { AgentAssertionError } from "../../agent-assertion-error.js";
import { REVOCATION_DELAY_SECONDS } from "../../directory/revocation-delay.js";
import { checkMiddlewareOptions, checkOption } from "../../internal/options.js";
import type { AgentRequest } from "../agent-middleware.js";
import { checkRequest } from "../check-request.js";
import type { MiddlewareOptions } from "../middleware-options.js";
import { hasBody } from "../node-request.js";
import { oncePerRequest } from "../once-per-request.js";
import { reportError } from "../report-error.js";
import { requireCall } from "../require-call.js";
import { UnreadableBody } from "../unreadable-body.js";
import { verifyRequest } from "../verify-request.js";
import { type OpenSocket, OpenSockets } from "./open-sockets.js";
import { refuseUpgrade } from "./refuse-upgrade.js";

/** What is used of a `WebSocketServer` of `ws`. */
export interface UpgradeServer<S extends OpenSocket = OpenSocket> {
  readonly options: object;
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    opened: (socket: S, request: IncomingMessage) => void,
  ): void;
  emit(event: "connection", socket: S, request: IncomingMessage): boolean;
}

/** Options of {@link admitUpgrades}. */
export interface AdmitUpgradesOptions extends MiddlewareOptions<AgentRequest> {
  /** Milliseconds after which open sockets are looked at again, and again: whether agent and task still live. 1 to 30,000, default 15,000. */
  readonly recheckMs?: number | undefined;
}

/** A listener for the event `upgrade` of Node's HTTP server. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const SERVER: OptionShape = {
  type: "object",
  members: { handleUpgrade: "function", emit: "function", options: "object" },
  expected: "a WebSocketServer of ws, made with { noServer: true }",
};
const RECHECK_MS = numberIn(1, REVOCATION_DELAY_SECONDS.most * 1000);
const DEFAULT_RECHECK_MS = REVOCATION_DELAY_SECONDS.default * 1000;

/**
 * Makes the listener for the event `upgrade` of Node's HTTP server. An upgrade whose assertion holds, and that has no body, is handed to `ws`, and `connection` is emitted;
 * `agentOf(request)` gives the agent there. Every other upgrade is answered with its status and problem+json, and the connection is closed.
 *
 * Open sockets are looked at again every `recheckMs`, with `verifier.recheck`. If agent or task is no longer live, a socket is closed with 1008 and the
 * code as its reason; if the check cannot be made, with 1001 and `server_error`. The hooks are called as for a refused request. A socket that
 * was opened without an assertion is not looked at again. Frames carry no assertion, and `policy` is looked at only when the socket is opened.
 *
 * @param webSockets - made with `{ noServer: true }`: with a port or a server of its own it would open sockets that were not checked
 * @throws {AgentAssertionError} `config_invalid`, naming the argument or the option, if one is missing or wrong
 * @see protocol.md §8, V-11
 */
export function admitUpgrades<S extends OpenSocket>(
  webSockets: UpgradeServer<S>,
  options: AdmitUpgradesOptions,
): UpgradeListener {
  checkOption("webSockets", webSockets, SERVER);
  requireNoServer(webSockets.options);
  checkMiddlewareOptions(options);
  checkOption("recheckMs", options.recheckMs, RECHECK_MS);
  const { recheckMs = DEFAULT_RECHECK_MS } = options;
  const open = new OpenSockets({ ...options, recheckMs });
  return (request, socket, head) => {
    requireCall(
      Array.isArray(request?.rawHeaders) && typeof socket?.destroy === "function",
      "the listener of admitUpgrades was not called as by Node's http server",
      'give it to server.on("upgrade", …) of Node\'s own server, also below a framework',
    );
    admit(request, socket, head).catch((error: unknown) => {
      socket.destroy();
      reportError(options.onError, error, request);
    });
  };

  async function admit(request: AgentRequest, socket: Duplex, head: Buffer): Promise<void> {
    const { verifier, clientAddress } = options;
    // Node's server has let go of the socket: without a listener its errors would end the process.
    socket.on("error", ignore);
    const checked = await checkRequest(options, request, () =>
      oncePerRequest(request, verifier, async () => {
        const address = clientAddress?.(request);
        const agent = await verifyRequest(request, { verifier, clientAddress: address });
        requireNoBody(request);
        return agent;
      }),
    );
    if (isAnswering(socket)) {
      socket.destroy();
      return;
    }
    if (checked.kind === "refused") {
      refuseUpgrade(request, socket, checked.error);
      return;
    }
    const { agent } = checked;
    // One without an assertion, which onMissing let pass before its body was looked at.
    if (hasBody(request) !== false) {
      refuseUpgrade(request, socket, bodyOfUpgrade());
      return;
    }
    request.agent = agent;
    webSockets.handleUpgrade(request, socket, head, (opened) => {
      if (agent !== undefined) open.add({ socket: opened, request, agent });
      webSockets.emit("connection", opened, request);
    });
  }
}

function ignore(): void {}

/** Node hands a body over as if it were the first bytes of the other protocol. */
function requireNoBody(request: IncomingMessage): void {
  if (hasBody(request) !== false) throw bodyOfUpgrade();
}

function bodyOfUpgrade(): UnreadableBody {
  return new UnreadableBody("invalid_request", "an upgrade may have no body");
}

/** Whether an earlier request of the connection is still being answered: what is written now would stand in the middle of that answer. */
function isAnswering(socket: Duplex & { readonly _httpMessage?: unknown }): boolean {
  return socket._httpMessage !== undefined && socket._httpMessage !== null;
}

function requireNoServer(options: { readonly noServer?: unknown }): void {
  if (options.noServer === true) return;
  throw new AgentAssertionError(
    "config_invalid",
    "webSockets must be made with { noServer: true }, got one that takes upgrades itself",
    { hint: "leave out port and server, and give the listener to server.on('upgrade', …)" },
  );
}
