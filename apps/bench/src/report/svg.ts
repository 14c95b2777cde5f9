/** A text that stands in SVG or in one of its attributes. */
export function escapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    '"': "&quot;",
  };
  return text.replace(/[<>&"]/g, (character) => named[character] ?? "");
}

/** Writes a text element. */
export function svgText(
  x: number,
  y: number,
  text: string,
  anchor: "start" | "middle" | "end" = "start",
  extra = "",
): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" ${extra}>${escapeXml(text)}</text>`;
}

/** Writes a line element. */
export function svgLine(x1: number, y1: number, x2: number, y2: number, stroke = "#ddd"): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}"/>`;
}

/** Puts elements into a document of its own, on white, so that it can be read on any page. */
export function svgDocument(
  width: number,
  height: number,
  title: string,
  elements: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="sans-serif" font-size="12" fill="#222">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...elements,
    "</svg>",
    "",
  ].join("\n");
}

/** Coordinates with one digit: the file stays small and its differences readable. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
