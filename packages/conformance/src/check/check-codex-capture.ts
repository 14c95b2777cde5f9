import { createHash } from "node:crypto";
import { signAssertion } from "@countersign/agent-assertion";
import { AgentKey, decodeBase64, encodeBase64 } from "@countersign/agent-key";
import { signTaskRegistration, taskRegistrationText } from "@countersign/agent-task";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import type { CodexCaptureFile } from "../schema/codex-capture-file.js";
import { outcome, type VectorCheck } from "../vector-check.js";
import { expectedKeyMembers, hexOf, keyMembers } from "./key-members.js";

/** The checks of a file of form `countersign.codex-capture/1`. */
export function checkCodexCapture(file: CodexCaptureFile): readonly VectorCheck[] {
  const key = () => fromSeed(Buffer.from(file.seed_hex, "hex"));
  return [
    seedCheck(file, key),
    privateKeyCheck("private key, PKCS#8 v1", file, file.pkcs8_v1_b64),
    privateKeyCheck("private key, PKCS#8 v2", file, file.pkcs8_v2_b64),
    taskRegistrationCheck(file, key),
    assertionCheck(file, key),
    sealedBoxCheck(file, key),
    derivationCheck(file),
  ];
}

function seedCheck({ pkcs8_v1_b64, public_key_hex }: CodexCaptureFile, key: () => AgentKey) {
  return {
    name: "key of the seed",
    expected: outcome({ pkcs8_v1_b64, public_key_hex }),
    run: () =>
      outcome({
        pkcs8_v1_b64: key().exportPkcs8(),
        public_key_hex: hexOf(key().publicKey.toBytes()),
      }),
  };
}

function privateKeyCheck(name: string, file: CodexCaptureFile, pkcs8: string): VectorCheck {
  return {
    name,
    expected: outcome(
      expectedKeyMembers({
        sshPublicKey: file.public_key_ssh,
        x25519PublicKeyHex: file.x25519_public_hex,
        x25519PrivateKeyHex: file.x25519_secret_hex,
      }),
    ),
    run: () => outcome(keyMembers(AgentKey.importPkcs8(pkcs8))),
  };
}

function taskRegistrationCheck(file: CodexCaptureFile, key: () => AgentKey): VectorCheck {
  const { payload, signature } = file.task_registration;
  return {
    name: "task registration",
    expected: outcome({ payload, signature }),
    run: () => {
      const [agentRuntimeId = "", timestamp = ""] = partsOf(payload, 2);
      return outcome({
        payload: taskRegistrationText(agentRuntimeId, timestamp),
        signature: signTaskRegistration(agentRuntimeId, key(), timestamp).signature,
      });
    },
  };
}

function assertionCheck(file: CodexCaptureFile, key: () => AgentKey): VectorCheck {
  const { payload, signature, header } = file.assertion;
  return {
    name: "assertion",
    expected: outcome({ signature, header }),
    run: () => {
      const [agentRuntimeId = "", taskId = "", timestamp = ""] = partsOf(payload, 3);
      return outcome({
        signature: key().signText(payload),
        header: signAssertion({ agentRuntimeId, taskId, key: key(), timestamp }),
      });
    },
  };
}

function sealedBoxCheck(file: CodexCaptureFile, key: () => AgentKey): VectorCheck {
  const { plaintext, b64, len } = file.sealed_box_sample;
  return {
    name: "sealed box",
    expected: outcome({ plaintext, len }),
    run: () => {
      const box = decodeBase64(b64);
      const opened = openSealedBox(box, key());
      return outcome({ plaintext: Buffer.from(opened).toString("utf8"), len: box.length });
    },
  };
}

// Generation C of Codex makes its seed like this. Ours is random, so this checks the capture, not this implementation.
function derivationCheck({ era_c_key_derivation }: CodexCaptureFile): VectorCheck {
  const { context, seed64_hex, ed25519_seed_hex } = era_c_key_derivation;
  return {
    name: "seed derivation of generation C",
    expected: outcome({ ed25519_seed_hex }),
    run: () => {
      const hash = createHash("sha512").update(context).update(Buffer.from(seed64_hex, "hex"));
      return outcome({ ed25519_seed_hex: hexOf(hash.digest().subarray(0, 32)) });
    },
  };
}

// DER of an Ed25519 private key up to its seed (RFC 8410 §7).
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

function fromSeed(seed: Uint8Array): AgentKey {
  return AgentKey.importPkcs8(encodeBase64(Buffer.concat([PKCS8_PREFIX, seed])));
}

// Ids hold no colon and the timestamp, which does, comes last.
function partsOf(payload: string, count: number): readonly string[] {
  const parts = payload.split(":");
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(":")];
}
