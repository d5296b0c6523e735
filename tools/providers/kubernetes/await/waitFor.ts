// The annotation `pulumi.com/waitFor`: conditions and paths that the user chooses, in place of the kind's own rule.
import { isObject, type Properties, type Value } from "../../rpc/values";
import { condition } from "../objects";
import { READY, type Rule, waiting } from "./rule";

type Test = (object: Properties) => boolean;

const STEP = /\['((?:[^'\\]|\\.)*)'\]|\["([^"]*)"\]|\[(\d+|\*)\]|\[\?\(@\.([\w-]+)=="([^"]*)"\)\]|\.?([^.[\]?@]+)/g;

/** Values at a path of keys, indices and filters by one field; `*` is any. What else JSONPath has is left out, and refused. */
function select(path: string): (object: Properties) => Value[] {
  const inner = /^\{?\.?(.*?)\}?$/.exec(path.trim())![1];
  const found = [...inner.matchAll(STEP)];
  if (found.length === 0 || found.map(([whole]) => whole).join("") !== inner) {
    throw new Error(`the JSONPath "${path}" is more than this stand-in understands`);
  }
  const steps = found.map(([, single, double, index, field, wanted, plain]) => ({
    key: single ?? double ?? index ?? plain?.replace(/\\/g, ""),
    fits: (member: Value) => isObject(member) && member[field] === wanted,
  }));
  return (object) =>
    steps.reduce<Value[]>(
      (values, { key, fits }) => {
        return values.flatMap((value) => {
          if (!isObject(value) && !Array.isArray(value)) return [];
          if (key === undefined) return Object.values(value).filter(fits);
          const members = key === "*" ? Object.values(value) : [(value as Properties)[key]];
          return members.filter((member) => member !== undefined);
        });
      },
      [object],
    );
}

function jsonPathTest(expression: string): Test {
  const [, path, wanted] = /^(\{[^}]*\}|[^=]*)(?:=(.*))?$/s.exec(expression)!;
  const values = select(path);
  return (object) => {
    const [first] = values(object); // of several the official plugin takes the first
    return first !== undefined && (wanted === undefined || String(first) === wanted);
  };
}

function conditionTest(expression: string): Test {
  const [type, status = "True"] = expression.split("=");
  return (object) => String(condition(object, type)?.status).toLowerCase() === status.toLowerCase();
}

function test(expression: string): Test {
  if (expression.startsWith("jsonpath=")) return jsonPathTest(expression.slice("jsonpath=".length));
  if (expression.startsWith("condition=")) return conditionTest(expression.slice("condition=".length));
  throw new Error(`expected a "jsonpath=" or "condition=" prefix, got "${expression}"`);
}

/** The rule behind an annotation's value: one expression, or a JSON list of them that must all hold. */
export function waitForRule(value: string): Rule {
  const expressions = value.trimStart().startsWith("[") ? (JSON.parse(value) as string[]) : [value];
  const tests = expressions.map(test);
  return { judge: ({ object }) => (tests.every((holds) => holds(object)) ? READY : waiting()) };
}
