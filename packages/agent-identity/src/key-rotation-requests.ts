import { formatTimestamp } from "@countersign/agent-key";
import { hasInRow } from "@countersign/agent-key/codes";
import { inSpan } from "@countersign/agent-key/tracing";
import type { AgentKeys } from "./agent-keys.js";
import type { CurrentHuman } from "./agent-registrar.js";
import { AuthorityError } from "./authority-error.js";
import type { AuthorityClient } from "./client/authority-client.js";
import { AuthorityClock } from "./client/authority-clock.js";
import { entryKeyOf } from "./entry-key.js";
import type { EmitIdentityEvent } from "./identity-events.js";
import type { IdentityOwner } from "./identity-owner.js";
import { ownerSpan } from "./internal/owner-span.js";
import { isPlainRefusal } from "./kept-key.js";
import type { RotatingEntry } from "./rotating-entry.js";
import type { Turn } from "./run-alone.js";
import type { KeyRotationResponse } from "./schema/key-rotation.js";
import { WHOAMI_PATH } from "./schema/whoami.js";

/** Options of {@link KeyRotationRequests}. */
export interface KeyRotationRequestsOptions {
  readonly client: AuthorityClient;
  readonly keys: AgentKeys;
  readonly now: () => number;
  readonly emit: EmitIdentityEvent;
}

/** One rotation that the authority is asked for. */
export interface WantedRotation {
  readonly owner: IdentityOwner;
  readonly human: CurrentHuman;
  readonly rotating: RotatingEntry;
  readonly turn: Turn;
  /** Called if the authority refuses in a way that the next key does not become the agent's, and does not know it. */
  readonly onUselessKey: () => Promise<void>;
}

/** Asks the authority for rotations, once more with its time if it refuses the client's. */
export class KeyRotationRequests {
  readonly #options: KeyRotationRequestsOptions;
  readonly #clock: AuthorityClock;

  constructor(options: KeyRotationRequestsOptions) {
    this.#options = options;
    this.#clock = new AuthorityClock(options.now);
  }

  /**
   * @throws {AuthorityError} when the authority refuses or cannot be reached
   * @throws as `AgentKeys.find` if one of the keys cannot be had
   */
  async send(wanted: WantedRotation): Promise<KeyRotationResponse> {
    let { mayBeKnown } = wanted.rotating;
    const send = () =>
      this.#sendOnce(wanted, () => {
        mayBeKnown = true;
      });
    try {
      try {
        return await send();
      } catch (error) {
        if (!(await this.#learnsTime(error, wanted))) throw error;
        return await send();
      }
    } catch (error) {
      // A key that is refused for itself never becomes the agent's.
      const isUseless = AuthorityError.is(error) && error.code === "invalid_key";
      if (isUseless || (!mayBeKnown && isPlainRefusal(error))) await wanted.onUselessKey();
      throw error;
    }
  }

  async #sendOnce(
    { owner, human, rotating, turn }: WantedRotation,
    onRetry: () => void,
  ): Promise<KeyRotationResponse> {
    const { client, keys } = this.#options;
    const { entry, nextKey } = rotating;
    const current = keys.find(entryKeyOf(entry), entry);
    const next = keys.find(nextKey, entry);
    // Read just before it is sent, so that the token of a login that has ended is sent nowhere.
    const { accessToken } = await human();
    this.#options.emit("requesting", owner, { agentRuntimeId: entry.agent_runtime_id });
    return await inSpan("rotate key", ownerSpan(owner, entry.agent_runtime_id), () =>
      client.rotateKey(
        {
          accessToken,
          agentRuntimeId: entry.agent_runtime_id,
          current,
          next,
          compromised: entry.compromised,
          timestamp: formatTimestamp(this.#clock.now()),
        },
        { ...turn.patience(), signal: turn.signal, onRetry },
      ),
    );
  }

  // protocol.md §10: after a refusal for the time, one question to the authority shows what its clock says.
  async #learnsTime(error: unknown, { human, turn }: WantedRotation): Promise<boolean> {
    if (!AuthorityError.is(error)) return false;
    const { code } = error;
    if (!hasInRow(code, "onRegistration", "correct_time")) return false;
    const { accessToken } = await human();
    const who = { accessToken, proof: "bearer" } as const;
    const question = { method: "GET", path: WHOAMI_PATH, human: who, retry: false } as const;
    return await this.#clock.learn(code, this.#clock.offsetSeconds, async () => {
      try {
        const call = { ...turn.patience(), signal: turn.signal };
        this.#clock.observe(await this.#options.client.request(question, call));
      } catch (failure) {
        // Without an answer there is nothing to learn, and the refusal stands as it is.
        if (!AuthorityError.is(failure)) throw failure;
      }
    });
  }
}
