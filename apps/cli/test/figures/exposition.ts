/** One line of an exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What `/metrics` shows, in the text format of Prometheus. */
export interface Exposition {
  /** The names of figures, with their types. */
  readonly types: ReadonlyMap<string, string>;
  /** The names under which they can be asked for: a histogram has three. */
  readonly sampleNames: ReadonlySet<string>;
  readonly samples: readonly Sample[];
}

/** Reads what `/metrics` shows. Figures that have no sample yet are among the types and names. */
export function readExposition(text: string): Exposition {
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
  const samples = [...text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)].map(
    ([, name = "", labels = ""]) => ({
      name,
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = "", value = ""]) => [
          label,
          value,
        ]),
      ),
    }),
  );
  const sampleNames = [...types].flatMap(([name, type]) =>
    type === "histogram" ? ["_bucket", "_sum", "_count"].map((suffix) => name + suffix) : [name],
  );
  return { types, samples, sampleNames: new Set(sampleNames) };
}
