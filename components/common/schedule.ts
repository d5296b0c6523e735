import { Rule } from "./validation";

/** Rules for points and spans of time, as Kubernetes and CloudNativePG take them. */

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const WEEKDAYS = "sun mon tue wed thu fri sat".split(" ");

/** Cron's fields: name, least and greatest value, and names that stand for numbers from the least on. */
const fields: [string, number, number, string[]?][] = [
  ["minute", 0, 59],
  ["hour", 0, 23],
  ["day of the month", 1, 31],
  ["month", 1, 12, MONTHS],
  ["day of the week", 0, 6, WEEKDAYS],
];

/** Five fields, as Kubernetes' CronJob reads them: Sunday is 0 and not 7, and a step counts from the range's beginning. */
export const cronSchedule: Rule<string> = (schedule) => {
  const wayOut = 'write minute, hour, day of the month, month and day of the week, such as "30 2 * * *" for 2:30 each night';
  const given = typeof schedule === "string" ? schedule.trim().split(/\s+/) : [];
  if (given.length !== fields.length) return `${JSON.stringify(schedule)} is not a schedule of five fields: ${wayOut}`;
  const wrong = fields.find(([, least, most, names], index) => !given[index].split(",").every(inRange(least, most, names)));
  if (!wrong) return undefined;
  const [name, least, most] = wrong;
  return `${JSON.stringify(schedule)} has "${given[fields.indexOf(wrong)]}" as its ${name}, which is *, or ${least} to ${most}, ranges, lists and steps of it: ${wayOut}`;
};

/** What a schedule of five fields comes to: the values of each, and whether the field is a star. */
export const cronFields = (schedule: string) =>
  schedule
    .trim()
    .split(/\s+/)
    .map((given, index) => {
      const [, least, most, names] = fields[index];
      return {
        any: /^[*?]/.test(given),
        values: [...new Set(given.split(",").flatMap((part) => valuesOf(part, least, most, names)))].sort((a, b) => a - b),
      };
    });

function valuesOf(part: string, least: number, most: number, names: string[] = []): number[] {
  const [range, step = "1"] = part.split("/");
  const [from, to] = /^[*?]$/.test(range) ? [least, most] : range.split("-").map((end) => valueOf(end, least, names));
  // A single value with a step goes on to the end: robfig/cron, which Kubernetes reads schedules with.
  const end = to ?? (part.includes("/") ? most : from);
  return Array.from({ length: Math.floor((end - from) / Number(step)) + 1 }, (_, index) => from + index * Number(step));
}

function valueOf(end: string, least: number, names: string[]): number {
  const named = names.indexOf(end.toLowerCase());
  return named >= 0 ? named + least : /^\d{1,2}$/.test(end) ? Number(end) : NaN;
}

const inRange =
  (least: number, most: number, names: string[] = []) =>
  (part: string) => {
    const [range, step, ...more] = part.split("/");
    if (more.length || (step !== undefined && !/^[1-9]\d{0,2}$/.test(step))) return false;
    if (range === "*" || range === "?") return true;
    const ends = range.split("-").map((end) => valueOf(end, least, names));
    return ends.length <= 2 && ends.every((end) => end >= least && end <= most) && ends[0] <= ends[ends.length - 1];
  };

function isKnown(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** IANA names. Kubernetes takes neither "Local" nor offsets, which JavaScript would. */
export const timeZone: Rule<string> = (zone) => {
  return typeof zone === "string" && /^[A-Za-z][\w+-]*(\/[\w+-]+)*$/.test(zone) && isKnown(zone)
    ? undefined
    : `${JSON.stringify(zone)} is not a time zone: write its IANA name, such as "Europe/Berlin" or "Etc/UTC"`;
};

const DAYS: Record<string, number> = { d: 1, w: 7, m: 30 };

/** CloudNativePG's format of a retention. */
export const retention: Rule<string> = (span) =>
  typeof span === "string" && /^[1-9]\d{0,3}[dwm]$/.test(span)
    ? undefined
    : `${JSON.stringify(span)} is not a span of time: write a number and d (days), w (weeks) or m (30 days each), such as "14d"`;

export const retentionDays = (span: string) => Number(span.slice(0, -1)) * DAYS[span.slice(-1)];
