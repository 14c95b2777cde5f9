/**
 * The values of all lines of one field, in the order they came.
 *
 * @param rawHeaders - name, value, name, value, … as they came
 * @param name - in lower case
 */
export function fieldLines(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? "");
  }
  return values;
}
