import {
  addPoints,
  challengeOf,
  decodePoint,
  encodePoint,
  FIELD,
  IDENTITY,
  ORDER_8,
  type Point,
  scalarOf,
  signatureOf,
} from "./edwards.js";
import { authorizationOf, KEY_A, KEY_B, later, lineOf, NOW, vectorKey } from "./vector-keys.js";

const AGENT = "agent-1";
const TASK = "task-1";
// Every character that an id may have, and the longest one.
const ODD_ID = "!$&'()*+,-.;=@[]^_`{|}~AZaz09";
const LONG_ID = `${ODD_ID}${"i".repeat(256 - ODD_ID.length)}`;
const GOOD = authorizationOf(KEY_A, AGENT, TASK);
const NOW_MS = Date.parse(NOW);
const PUBLIC_A = Buffer.from(KEY_A.blob, "base64").subarray(-32);

const MIXED = encodePoint(addPoints(decodePoint(PUBLIC_A), ORDER_8));
const field = (envelope: string) =>
  `AgentAssertion ${Buffer.from(envelope, "utf8").toString("base64url")}`;
const goodEnvelope = Buffer.from(GOOD.slice("AgentAssertion ".length), "base64url").toString();

/** The good envelope with more members behind its own. */
const withMembers = (members: string) => field(goodEnvelope.replace(/\}$/, `,${members}}`));

/** The good field, made this long by a member that is not known. */
function ofLength(length: number): string {
  for (let more = 0; ; more += 1) {
    const made = withMembers(`"x":"${"x".repeat(5700 + more)}"`);
    if (made.length === length) return made;
    // A text of 3 n + 1 bytes is 4 n + 2 characters: not each length is reached, so the spaces behind the scheme make the rest.
    if (made.length > length - 4) return made.replace(" ", " ".repeat(length - made.length + 1));
  }
}

function envelope(agent: string, task: string, timestamp: string, signature: Buffer): string {
  return field(
    JSON.stringify({
      agent_runtime_id: agent,
      signature: signature.toString("base64"),
      task_id: task,
      timestamp,
    }),
  );
}

/** Signs with the key of mixed order, so that the challenge modulo 8 is zero, or is not. */
function byMixedKey(isMultiple: boolean): string {
  const text = `agent-mixed:${TASK}:${NOW}`;
  for (let count = 0; ; count += 1) {
    const nonce = vectorKey(`nonce ${count}`);
    const first = Buffer.from(nonce.blob, "base64").subarray(-32);
    const challenge = challengeOf(first, MIXED, text);
    if ((challenge % 8n === 0n) === isMultiple) {
      const signature = signatureOf(first, scalarOf(nonce), challenge, KEY_A);
      return envelope("agent-mixed", TASK, NOW, signature);
    }
  }
}

/** Signs with a nonce of 0, whose point is the identity, and writes its y = 1 as `y`. */
function byIdentity(y: bigint): string {
  const first = encodePoint({ x: 0n, y });
  const challenge = challengeOf(first, PUBLIC_A, `${AGENT}:${TASK}:${NOW}`);
  return envelope(AGENT, TASK, NOW, signatureOf(first, 0n, challenge, KEY_A));
}

// Points of order 1, 2, 4 and 8, as multiples of one.
const SMALL_ORDER = [1, 2, 3, 4, 5, 6, 7, 8].reduce<readonly Point[]>(
  (points) => [...points, addPoints(points.at(-1) ?? IDENTITY, ORDER_8)],
  [],
);
const ORDERS = [8, 4, 8, 2, 8, 4, 8, 1];

/** Signs with a nonce of 0 and this point in place of the identity, at a second in which the equation holds under the key of mixed order. */
function bySmallOrder(point: Point): string {
  const first = encodePoint(point);
  for (let age = 0; ; age += 1) {
    const timestamp = later(NOW, -age);
    const challenge = challengeOf(first, MIXED, `agent-mixed:${TASK}:${timestamp}`);
    let sum = point;
    for (let count = 0n; count < challenge % 8n; count += 1n) sum = addPoints(sum, ORDER_8);
    if (encodePoint(sum).equals(encodePoint(IDENTITY))) {
      const signature = signatureOf(first, 0n, challenge, KEY_A);
      return envelope("agent-mixed", TASK, timestamp, signature);
    }
  }
}

const accept = (name: string, authorization: string | readonly string[], nowMs?: number) => ({
  name,
  authorization,
  ...(nowMs === undefined ? {} : { now_ms: nowMs }),
});
const reject = (
  name: string,
  code: string,
  authorization: string | readonly string[] | null,
  nowMs?: number,
) => ({ ...accept(name, authorization ?? "", nowMs), authorization, code });
const malformed = (name: string, authorization: string | readonly string[]) =>
  reject(name, "malformed", authorization);
const at = (timestamp: string) => authorizationOf(KEY_A, AGENT, TASK, timestamp);

/** Assertions beside those of assertions.json: the edges of form, time and signature. */
export const moreAssertionsFile = {
  form: "countersign.assertions/1",
  description:
    "As assertions.json. now_ms, where it is there, is the verifier's clock for that vector, in epoch milliseconds. agent-mixed has a public key of mixed order: a signature of a usual signer holds under it exactly if its challenge is a multiple of 8. The equation holds for the first halves of small order, which K-5 refuses.",
  now: NOW,
  max_skew_seconds: 300,
  agents: [
    { agent_runtime_id: AGENT, ssh_public_key: KEY_A.line },
    { agent_runtime_id: LONG_ID, ssh_public_key: KEY_B.line },
    { agent_runtime_id: "agent-mixed", ssh_public_key: lineOf(MIXED) },
  ],
  tasks: [
    { agent_runtime_id: AGENT, task_id: TASK },
    { agent_runtime_id: LONG_ID, task_id: LONG_ID },
    { agent_runtime_id: "agent-mixed", task_id: TASK },
  ],
  accept: [
    accept("ids of 256 characters, of each kind", authorizationOf(KEY_B, LONG_ID, LONG_ID)),
    accept("a field of 8192 characters", ofLength(8192)),
    accept("the scheme in lower case", GOOD.replace("AgentAssertion", "agentassertion")),
    accept("white space around the object", field(` \t\r\n${goodEnvelope} \t\r\n`)),
    accept("one name in two objects", withMembers('"x":[{"a":1},{"a":{"a":1}}]')),
    accept("300.000 s old", at(later(NOW, -300)), NOW_MS),
    accept("299.999 s ahead", at(later(NOW, 300)), NOW_MS + 1),
    accept("a leap day", at("2028-02-29T12:00:00Z"), Date.UTC(2028, 1, 29, 12)),
    accept("the leap day of a century", at("2000-02-29T12:00:00Z"), Date.UTC(2000, 1, 29, 12)),
    accept("a key of mixed order, a challenge that is a multiple of 8", byMixedKey(true)),
  ],
  reject: [
    ...[...'"#%/:<>?\\ \u007f\u001f\u00e9'].map((char) =>
      malformed(
        `a task id with U+${char.codePointAt(0)?.toString(16).padStart(4, "0")}`,
        authorizationOf(KEY_A, AGENT, `a${char}b`),
      ),
    ),
    malformed("the task id .", authorizationOf(KEY_A, AGENT, ".")),
    malformed("the agent id ..", authorizationOf(KEY_A, "..", TASK)),
    malformed("a field of 8193 characters", ofLength(8193)),
    malformed("a space before the scheme", ` ${GOOD}`),
    malformed("a tab before the scheme", `\t${GOOD}`),
    malformed("a space behind the token", `${GOOD} `),
    malformed("a tab behind the token", `${GOOD}\t`),
    malformed("another scheme that begins with the name", "AgentAssertions x"),
    malformed("two fields of other schemes", ["Bearer x", "Bearer y"]),
    malformed("two empty fields", ["", ""]),
    malformed("a name twice in an object below", withMembers('"x":{"a":1,"a":2}')),
    malformed("a name twice in an object of a list", withMembers('"x":[0,{"a":1,"a":2}]')),
    malformed("a name twice below, once escaped", withMembers('"x":{"a":1,"\\u0061":2}')),
    malformed("29 February of a common year", at("2026-02-29T00:00:00Z")),
    malformed("29 February of a century", at("2100-02-29T00:00:00Z")),
    malformed("31 April", at("2026-04-31T00:00:00Z")),
    malformed("month 13", at("2026-13-01T00:00:00Z")),
    malformed("minute 60", at("2026-04-15T17:60:00Z")),
    reject("a long field of another scheme", "missing", `Bearer ${"x".repeat(9000)}`),
    reject("an empty field", "missing", ""),
    reject("300.001 s old", "expired", at(later(NOW, -300)), NOW_MS + 1),
    reject("300.001 s ahead", "not_yet_valid", at(later(NOW, 300)), NOW_MS - 1),
    reject("an empty signature", "bad_signature", envelope(AGENT, TASK, NOW, Buffer.alloc(0))),
    reject(
      "a key of mixed order, a challenge that is no multiple of 8",
      "bad_signature",
      byMixedKey(false),
    ),
    reject("a first half that is not canonical", "bad_signature", byIdentity(FIELD + 1n)),
    reject("a first half of order 1", "bad_signature", byIdentity(1n)),
    ...SMALL_ORDER.map((point, index) =>
      reject(
        `a first half of order ${ORDERS[index]}, ${index + 1} times the point of order 8`,
        "bad_signature",
        bySmallOrder(point),
      ),
    ),
  ],
};
