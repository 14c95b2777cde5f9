import { scaleLog } from "d3-scale";
import type { Point } from "../harness/row.ts";
import { formatNumber } from "./format-figure.ts";
import { round, svgDocument, svgLine, svgText } from "./svg.ts";

const WIDTH = 720;
const HEIGHT = 400;
const EDGE = { left: 80, right: 44, top: 44, bottom: 56 } as const;

/** What a plot of a series shows. */
export interface SeriesPlot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly points: readonly Point[];
}

/** Draws how a cost grows: the medians as a line, the quartiles as a band, both axes logarithmic. */
export function plotSeries({ title, x, y, points }: SeriesPlot): string {
  const xs = points.map((point) => point.x);
  const lows = points.map((point) => point.y.low);
  const highs = points.map((point) => point.y.high);
  const across = scaleLog()
    .domain([Math.min(...xs), Math.max(...xs)])
    .range([EDGE.left, WIDTH - EDGE.right]);
  // At least a factor of ten high, so that noise does not look like growth.
  const [bottom, top] = [Math.min(...lows), Math.max(...highs)];
  const middle = Math.sqrt(bottom * top);
  const up = scaleLog()
    .domain([Math.min(bottom, middle / 3.2), Math.max(top, middle * 3.2)])
    .nice()
    .range([HEIGHT - EDGE.bottom, EDGE.top]);
  const line = (values: readonly (readonly [number, number])[]) =>
    values.map(([at, value]) => `${round(across(at))},${round(up(value))}`).join(" ");
  const band = [
    ...points.map((point) => [point.x, point.y.high] as const),
    ...points.toReversed().map((point) => [point.x, point.y.low] as const),
  ];
  const medians = points.map((point) => [point.x, point.y.median] as const);
  const yTicks = up.ticks(4).filter((tick) => isPlain(tick));
  return svgDocument(WIDTH, HEIGHT, title, [
    svgText(EDGE.left, 24, title, "start", 'font-weight="bold" font-size="14"'),
    ...yTicks.flatMap((tick) => [
      svgLine(EDGE.left, up(tick), WIDTH - EDGE.right, up(tick)),
      svgText(EDGE.left - 8, up(tick) + 4, formatTick(tick), "end"),
    ]),
    ...xs.map((at) => svgText(across(at), HEIGHT - EDGE.bottom + 18, formatTick(at), "middle")),
    svgLine(EDGE.left, HEIGHT - EDGE.bottom, WIDTH - EDGE.right, HEIGHT - EDGE.bottom, "#222"),
    svgText((EDGE.left + WIDTH - EDGE.right) / 2, HEIGHT - 14, x, "middle"),
    svgText(0, 0, y, "middle", `transform="translate(18 ${HEIGHT / 2}) rotate(-90)"`),
    `<polygon points="${line(band)}" fill="#1f77b4" fill-opacity="0.2"/>`,
    `<polyline points="${line(medians)}" fill="none" stroke="#1f77b4" stroke-width="2"/>`,
    ...medians.map(
      ([at, value]) =>
        `<circle cx="${round(across(at))}" cy="${round(up(value))}" r="3" fill="#1f77b4"><title>${formatTick(at)}: ${formatNumber(value)}</title></circle>`,
    ),
  ]);
}

// 1, 2 and 5 of each power of ten: the others of a logarithmic axis stand too close.
function isPlain(tick: number): boolean {
  const digit = Math.round(tick / 10 ** Math.floor(Math.log10(tick) + 1e-9));
  return digit === 1 || digit === 2 || digit === 5;
}

function formatTick(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}
