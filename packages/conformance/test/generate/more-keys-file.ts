import { addPoints, decodePoint, encodePoint, FIELD, ORDER_8, smallestY } from "./edwards.js";
import { KEY_A, KEY_B, lineOf } from "./vector-keys.js";

const bytes = Buffer.from(KEY_A.blob, "base64");
const line = (blob: Buffer) => `ssh-ed25519 ${blob.toString("base64")}`;

/** The same bytes with one of them changed. */
function changed(at: number): Buffer {
  return Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)));
}

const MIXED = encodePoint(addPoints(decodePoint(bytes.subarray(-32)), ORDER_8));
const SMALL = smallestY();
const NOT_CANONICAL = encodePoint({ ...SMALL, y: SMALL.y + FIELD });
const valid = (name: string, key: string, comment = "") => ({
  name,
  ssh_public_key: key + comment,
  canonical: key,
});

/** Public keys whose line says something else than their bytes do. */
export const moreKeysFile = {
  form: "countersign.keys/1",
  description:
    "Lines whose base64 does not hold an Ed25519 key in its one form, beside lines that do.",
  valid_public: [
    { name: "an empty comment", ssh_public_key: `${KEY_A.line} `, canonical: KEY_A.line },
    {
      name: "a comment with spaces",
      ssh_public_key: `${KEY_B.line} me at home`,
      canonical: KEY_B.line,
    },
    valid("a comment of 1024 characters", KEY_A.line, ` ${"c".repeat(1024)}`),
    valid("a point of mixed order", lineOf(MIXED)),
    valid("a small y, in its canonical form", lineOf(encodePoint(SMALL))),
  ],
  invalid_public: [
    { name: "another name within the bytes", ssh_public_key: line(changed(14)) },
    { name: "another length of the name", ssh_public_key: line(changed(3)) },
    { name: "another length of the key", ssh_public_key: line(changed(18)) },
    { name: "two spaces before the key", ssh_public_key: KEY_A.line.replace(" ", "  ") },
    { name: "a line break behind the key", ssh_public_key: `${KEY_A.line}\n` },
    { name: "a line break in the comment", ssh_public_key: `${KEY_A.line} a\nb` },
    { name: "a carriage return in the comment", ssh_public_key: `${KEY_A.line} a\rb` },
    { name: "a NUL in the comment", ssh_public_key: `${KEY_A.line} a\0b` },
    { name: "a comment of 1025 characters", ssh_public_key: `${KEY_A.line} ${"c".repeat(1025)}` },
    {
      name: "a point of more than small order, y + p in place of y",
      ssh_public_key: lineOf(NOT_CANONICAL),
    },
    { name: "the name in upper case", ssh_public_key: KEY_A.line.replace("ssh", "SSH") },
    { name: "base64 without padding", ssh_public_key: KEY_A.line.replace(/=*$/, "").slice(0, -1) },
  ],
};
