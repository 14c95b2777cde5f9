const MAX_NAME_CHARACTERS = 64;

/**
 * Finds the name that was probably meant, or `undefined` when none is near.
 *
 * Near is at most one slip (a character left out, added, changed, or two neighbours swapped) for every three characters written. Case
 * and `-` for `_` do not count. Of equally near names the first in the list is taken.
 */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  if (written.length > MAX_NAME_CHARACTERS) return undefined;
  const plain = normalise(written);
  let nearest: string | undefined;
  let least = Math.floor(plain.length / 3) + 1;
  for (const name of names) {
    const distance = slips(plain, normalise(name));
    if (distance < least) {
      nearest = name;
      least = distance;
    }
  }
  return nearest;
}

function normalise(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
}

// Optimal string alignment: Levenshtein's distance with swaps of neighbours, three rows at a time.
function slips(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(
        cell(last, column) + 1,
        cell(current, column - 1) + 1,
        cell(last, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, cell(beforeLast, column - 2) + 1);
      }
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return cell(last, b.length);
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
