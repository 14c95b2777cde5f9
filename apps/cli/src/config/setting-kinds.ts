import { parseDuration } from "../text/duration.js";
import { type ListenAddress, parseListenAddress } from "./listen-address.js";
import {
  isTable,
  notAllowed,
  refuseUnknownKeys,
  type SettingKind,
  type SettingKinds,
  type Settings,
  type WrittenValue,
} from "./settings.js";

/** A text that is not empty. */
export const text: SettingKind<string> = (written) => {
  if (typeof written.value === "string" && written.value !== "") return written.value;
  throw notAllowed(written, "a text");
};

/** `HOST:PORT`. */
export const listenAddress: SettingKind<ListenAddress> = (written) =>
  parseListenAddress(text(written), written.from);

/** A duration such as `30d`, in seconds. */
export function duration(range: {
  readonly min: number;
  readonly max: number;
}): SettingKind<number> {
  return (written) => parseDuration(text(written), written.from, range);
}

/** An integer; `besides`: what may stand there instead, for the message. */
export function integer({
  min,
  besides,
}: {
  readonly min: number;
  readonly besides?: string;
}): SettingKind<number> {
  return (written) => {
    const { value, isText } = written;
    const isNumeral = isText && typeof value === "string" && /^\d{1,15}$/.test(value);
    const number = isNumeral ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number) && number >= min) return number;
    throw notAllowed(written, `an integer from ${min}${besides ? `, or ${besides}` : ""}`);
  };
}

/** One of these texts. */
export function oneOf<const T extends string>(choices: readonly T[]): SettingKind<T> {
  return (written) => {
    const choice = choices.find((it) => it === written.value);
    if (choice !== undefined) return choice;
    throw notAllowed(written, `one of ${choices.join(", ")}`);
  };
}

/** A list of such values; as a text they are separated by commas. */
export function listOf<T>(kind: SettingKind<T>): SettingKind<readonly T[]> {
  return (written) => {
    const { from, isText } = written;
    return elementsOf(written).map((value) => kind({ value, from, isText }));
  };
}

function elementsOf(written: WrittenValue): readonly unknown[] {
  const { value, isText } = written;
  if (isText && typeof value === "string") {
    return value.split(",").flatMap((element) => element.trim() || []);
  }
  if (Array.isArray(value)) return value;
  throw notAllowed(written, 'a list, such as ["one", "two"]');
}

/** `true` or `false`. */
export const yesOrNo: SettingKind<boolean> = (written) => {
  const { value, isText } = written;
  if (typeof value === "boolean") return value;
  if (isText && (value === "true" || value === "false")) return value === "true";
  throw notAllowed(written, "true or false");
};

/** A table with keys of these kinds alone, in a file. */
export function tableOf<Kinds extends SettingKinds>(kinds: Kinds): SettingKind<Settings<Kinds>> {
  return (written) => {
    const { value, from } = written;
    if (!isTable(value)) throw notAllowed(written, "a table of the file of --config");
    refuseUnknownKeys(from, Object.keys(value), Object.keys(kinds));
    const entries = Object.entries(value).map(([key, member]) => {
      return [key, kinds[key]?.({ value: member, from: `${from} ${key}`, isText: false })];
    });
    return Object.fromEntries(entries) as Settings<Kinds>;
  };
}
