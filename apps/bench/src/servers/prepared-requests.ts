/**
 * Requests of which none is sent twice. They are made before the measurement, since making them costs as much as serving them; if they run out,
 * more are made.
 *
 * @param make - makes so many, `offset` having been made before
 */
export function preparedRequests(
  make: (count: number, offset: number) => readonly string[],
  ready: number,
): (count: number) => readonly string[] {
  let stock = make(ready, 0);
  let made = ready;
  let taken = 0;
  return (count) => {
    if (taken + count > stock.length) {
      const more = Math.max(count, 1_000);
      stock = [...stock.slice(taken), ...make(more, made)];
      made += more;
      taken = 0;
    }
    taken += count;
    return stock.slice(taken - count, taken);
  };
}
