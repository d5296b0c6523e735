// Random strings out of chosen classes of characters.
import { randomInt } from "node:crypto";
import type { Properties } from "../rpc/values";

const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

/** The classes that are switched on, each with the number of characters it must contribute at least. */
function classes(args: Properties): { characters: string; minimum: number }[] {
  const all = [
    { on: args.upper, characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", minimum: args.minUpper },
    { on: args.lower, characters: "abcdefghijklmnopqrstuvwxyz", minimum: args.minLower },
    { on: args.numeric, characters: "0123456789", minimum: args.minNumeric },
    { on: args.special, characters: String(args.overrideSpecial || SPECIAL), minimum: args.minSpecial },
  ];
  return all.filter(({ on }) => on).map(({ characters, minimum }) => ({ characters, minimum: Number(minimum) }));
}

function pick(characters: string, count: number): string[] {
  return Array.from({ length: count }, () => characters[randomInt(characters.length)]);
}

function shuffled(list: string[]): string[] {
  for (let last = list.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [list[last], list[other]] = [list[other], list[last]];
  }
  return list;
}

/** A string for complete, valid arguments (see `problem`). */
export function randomString(args: Properties): string {
  const chosen = classes(args);
  const required = chosen.flatMap(({ characters, minimum }) => pick(characters, minimum));
  const all = chosen.map(({ characters }) => characters).join("");
  return shuffled([...required, ...pick(all, Number(args.length) - required.length)]).join("");
}

/** What is wrong with the arguments, complete with defaults, of a string; undefined when nothing is. */
export function problem(args: Properties): string | undefined {
  if (typeof args.length !== "number") return "`length` must be a number";
  const minimums = [args.minUpper, args.minLower, args.minNumeric, args.minSpecial].reduce(
    (sum: number, n) => sum + Number(n),
    0,
  );
  if (args.length < 1) return `Invalid Attribute Value. Attribute length value must be at least 1, got: ${args.length}`;
  if (args.length < minimums) {
    const sum = "min_upper + min_lower + min_numeric + min_special";
    return `Invalid Attribute Value. Attribute length value must be at least sum of ${sum}, got: ${args.length}`;
  }
  if (classes(args).length === 0) {
    return "Invalid Attribute Combination. At least one attribute out of [special,upper,lower,numeric] must be specified as true";
  }
  if (args.number !== args.numeric) {
    return "Number and numeric are both configured with different values - Number is deprecated, use numeric instead";
  }
  return undefined;
}
