import type { OptionErrorClass } from "./countersign-error.js";
import { escapeText } from "./escape-text.js";
import { assertNode } from "./node-floor.js";

/** The longest delay that a Node timer keeps, in milliseconds. A longer one fires at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/** What an option must be. */
export type OptionShape = ValueShape | NumberShape | ChoiceShape;

interface AnyShape {
  /** Whether it may be left out, or be `undefined`. Default false. */
  readonly optional?: boolean | undefined;
}

/** A value of a type. */
export interface ValueShape extends AnyShape {
  /** `text` is a string that is not empty, `string` may be empty; `object` is neither `null` nor a list. */
  readonly type: "object" | "function" | "text" | "string" | "boolean" | "list";
  /** What to give, for the message; for instance `an AgentDirectory, for instance remoteDirectory("https://…")`. */
  readonly expected: string;
  /** What the object must have: the type of each member, by its name. */
  readonly members?: Readonly<Record<string, "function" | "string" | "object">> | undefined;
}

/** A number in a range, both ends included. */
export interface NumberShape extends AnyShape {
  readonly type: "number";
  readonly least: number;
  readonly most: number;
  /** Whether it may have a fraction. Default false. */
  readonly fraction?: boolean | undefined;
}

/**
 * The shape of a number from `least` to `most`, both included. Its option says the unit in its name.
 *
 * @param more - `fraction`: may it have one, default false; `optional`: may it be left out, default true
 */
export function numberIn(
  least: number,
  most: number,
  more: { readonly fraction?: boolean; readonly optional?: boolean } = {},
): NumberShape {
  return { type: "number", least, most, optional: true, ...more };
}

/** One of some texts. */
export interface ChoiceShape extends AnyShape {
  readonly type: "choice";
  readonly choices: readonly string[];
}

/** The checks of options, made by {@link optionChecks}. Their messages hold no value but a number: any other may be a secret. */
export interface OptionChecks {
  /** Throws, naming the option, unless the value has the shape. */
  checkOption(name: string, value: unknown, shape: OptionShape): void;
  /**
   * Checks that the options are an object, and each option that is named. Throws as `checkOption` does.
   *
   * @param others - what happens to an option that is not named: `"ignore"`, the default, or `"refuse"`
   */
  checkOptions(
    options: unknown,
    shapes: Readonly<Record<string, OptionShape>>,
    others?: "ignore" | "refuse",
  ): void;
}

/**
 * Makes the checks of one package's options, which throw its own class of error.
 *
 * A wrong option is then refused where it is given, and not by a `TypeError` at the first request. So is an older Node than the packages are made for:
 * whatever needs a newer one is made with options, and importing a package does nothing.
 *
 * @param errorClass - what is thrown
 * @param code - the code that it is thrown with: `config_invalid`, or `invalid_request` for what a call asks of a service
 */
export function optionChecks<C extends "config_invalid" | "invalid_request">(
  errorClass: OptionErrorClass<C | "config_invalid">,
  code: C | "config_invalid" = "config_invalid",
): OptionChecks {
  const checkOption = (name: string, value: unknown, shape: OptionShape): void => {
    assertNode(errorClass);
    const got = differenceFrom(shape, value);
    if (got === undefined) return;
    throw new errorClass(code, `${name} must be ${expectedOf(shape)}, got ${got}`, {
      hint: `correct what is given as ${name}`,
    });
  };
  return {
    checkOption,
    checkOptions(options, shapes, others = "ignore") {
      const required = Object.keys(shapes).filter((name) => shapes[name]?.optional !== true);
      const expected =
        required.length === 0 ? "an object" : `an object with ${required.join(", ")}`;
      checkOption("options", options, { type: "object", expected });
      const unknown = Object.keys(Object(options)).find((name) => !Object.hasOwn(shapes, name));
      if (others === "refuse" && unknown !== undefined) {
        throw new errorClass(code, `there is no option ${escapeText(unknown)}`, {
          hint: `the options are ${Object.keys(shapes).join(", ")}`,
        });
      }
      for (const [name, shape] of Object.entries(shapes)) {
        checkOption(name, memberOf(options, name), shape);
      }
    },
  };
}

/** What a value is instead of the shape; `undefined`: it has the shape. */
function differenceFrom(shape: OptionShape, value: unknown): string | undefined {
  if (value === undefined && shape.optional === true) return undefined;
  switch (shape.type) {
    case "number":
      if (typeof value !== "number") return typeNameOf(value);
      return isInRange(shape, value) ? undefined : String(value);
    case "choice":
      if (typeof value !== "string") return typeNameOf(value);
      return shape.choices.includes(value) ? undefined : "another text";
    default:
      return isOfType(shape.type, value) ? lackOf(shape, value) : typeNameOf(value);
  }
}

function isInRange({ least, most, fraction = false }: NumberShape, value: number): boolean {
  return value >= least && value <= most && (fraction || Number.isInteger(value));
}

function isOfType(type: ValueShape["type"], value: unknown): boolean {
  switch (type) {
    case "text":
      return typeof value === "string" && value !== "";
    case "list":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

function lackOf({ members = {} }: ValueShape, value: unknown): string | undefined {
  for (const [name, type] of Object.entries(members)) {
    const member = memberOf(value, name);
    if (typeof member === type && member !== null) continue;
    if (value instanceof Promise) return "a promise: await it";
    return `${typeNameOf(value)} without ${type === "function" ? `${name}()` : name}`;
  }
  return undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return (value as Readonly<Record<string, unknown>>)[name];
}

function expectedOf(shape: OptionShape): string {
  if (shape.type === "choice") return shape.choices.map((choice) => `"${choice}"`).join(" or ");
  if (shape.type !== "number") return shape.expected;
  const { least, most, fraction = false } = shape;
  const kind = fraction ? "a number" : "an integer";
  return most >= Number.MAX_SAFE_INTEGER
    ? `${kind} from ${least} up`
    : `${kind} from ${least} to ${most}`;
}

// Never the value itself.
function typeNameOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (value === "") return "an empty string";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
