/**
 * The name that was probably meant, if there is one: a slip of the pen away, written in another style, the beginning of it, or the end
 * of no other one.
 */
export function nearest(given: string, names: string[]): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  const wanted = plain(given);
  const close = names
    .map((name) => ({ name, slips: slips(wanted, plain(name)) }))
    .filter(({ slips }) => slips <= Math.max(1, Math.floor(wanted.length / 3)))
    .sort((a, b) => a.slips - b.slips);
  const begun = names.find((name) => wanted.length >= 3 && plain(name).startsWith(wanted));
  const ended = names.filter((name) => wanted.length >= 4 && plain(name).endsWith(wanted));
  return close[0]?.name ?? begun ?? (ended.length === 1 ? ended[0] : undefined);
}

/** How many letters are left out, added, changed or swapped with their neighbour (Damerau and Levenshtein). */
function slips(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row++) {
    rows[row] = [row];
    for (let column = 1; column <= b.length; column++) {
      const changed = rows[row - 1][column - 1] + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1] ? rows[row - 2][column - 2] + 1 : Infinity;
      rows[row][column] = Math.min(changed, swapped, rows[row - 1][column] + 1, rows[row][column - 1] + 1);
    }
  }
  return rows[a.length][b.length];
}
