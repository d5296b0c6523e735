/** Steps of a path as `ignoreChanges` takes it: names, `["quoted"]` ones, and `[*]` for every entry of a list. */
const steps = (path: string) =>
  [...path.matchAll(/\["([^"]+)"\]|\[(\*)\]|([^.[\]]+)/g)].map(([, quoted, star, name]) => quoted ?? star ?? name);

function reset(before: any, after: any, [step, ...more]: string[]): void {
  if (step === "*") return (after as any[]).forEach((entry, index) => reset(before?.[index], entry, more));
  if (more.length) {
    if (after?.[step] !== undefined) reset(before?.[step], after[step], more);
  } else if (before?.[step] === undefined) delete after[step];
  else after[step] = before[step];
}

/**
 * What the engine compares with what is there: everything at a path of `ignoreChanges` is as it was (pulumi/pkg, resource/deploy,
 * processIgnoreChanges). What is replaced for another reason has what the program says.
 */
export function compared<T>(before: object, after: T, ignoreChanges: string[]): T {
  const copy = JSON.parse(JSON.stringify(after));
  for (const path of ignoreChanges) reset(before, copy, steps(path));
  return copy;
}
