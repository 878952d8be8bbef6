import { useEffect, useId, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Chart } from "../../charts.ts";
import { bytes, count } from "../format.ts";

const height = 190;

/** One chart; what it shows last is said in words beside it. */
export function ChartView({ chart }: { readonly chart: Chart }) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const id = useId();
  const shape = `${chart.unit} ${chart.series.map(({ label }) => label).join(",")}`;
  // A chart of another shape is another chart.
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const made = new uPlot(optionsOf(chart, element), dataOf(chart), element);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    const themes = matchMedia("(prefers-color-scheme: dark)");
    const repaint = () => made.redraw();
    themes.addEventListener("change", repaint);
    return () => {
      themes.removeEventListener("change", repaint);
      resized.disconnect();
      made.destroy();
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(dataOf(chart)), [chart]);
  return (
    <section class="card chart" aria-labelledby={id}>
      <h2 id={id}>{chart.title}</h2>
      <p class="muted">{lastWords(chart)}</p>
      <div ref={frame} role="img" aria-label={`${chart.title} over time: ${lastWords(chart)}`} />
    </section>
  );
}

const lines = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"];

function optionsOf(chart: Chart, element: HTMLElement): uPlot.Options {
  // Read when it is drawn, so that a change of theme needs no new chart.
  const colour = (name: string) => () => getComputedStyle(element).getPropertyValue(name);
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--edge"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    cursor: { y: false },
    legend: { live: true },
    scales: { x: { range: timeRange }, y: scales[chart.unit] ?? fromZero },
    axes: [
      { ...axis, values: timeLabels },
      {
        ...axis,
        size: 62,
        ...(chart.unit === "count" && { incrs: wholeSteps }),
        values: (_, ticks) => ticks.map((tick) => worded(tick, chart.unit)),
      },
    ],
    series: [
      { label: "At", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
      ...chart.series.map(({ label }, index) => ({
        label,
        stroke: colour(lines[index % lines.length] ?? "--line-1"),
        width: 1.5,
        points: { size: 4 },
        spanGaps: true,
        value: (_: uPlot, value: number | null) => (value === null ? "–" : worded(value, chart.unit)),
      })),
    ],
  };
}

const fromZero: uPlot.Scale = { range: { min: { soft: 0, mode: 1 }, max: { pad: 0.1 } } };

const scales: Readonly<Partial<Record<Chart["unit"], uPlot.Scale>>> = {
  percent: { range: [0, 100] },
  // Nothing but zeros would be drawn from 0 to 100.
  count: { range: { min: { soft: 0, mode: 1 }, max: { pad: 0.1, soft: 4, mode: 1 } } },
};

/** Half an app is none. */
const wholeSteps = [1, 2, 5]
  .flatMap((step) => [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].map((unit) => step * unit))
  .sort((a, b) => a - b);

const day = 86_400;
const date = "\n{D} {MMM}";
const dateOfYear = `${date} {YYYY}`;

/** By the distance of two ticks: what stands at each, and below it where a year, a day or a minute begins. */
const timeLabels: uPlot.Axis.Values = [
  [365 * day, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * day, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [day, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", dateOfYear, null, date, null, null, null, 1],
  [1, ":{ss}", `${dateOfYear} {HH}:{mm}`, null, `${date} {HH}:{mm}`, null, "\n{HH}:{mm}", null, 1],
];

/** A single point has room on both sides. */
function timeRange({ data: [times] }: uPlot): [number, number] {
  const from = times[0] ?? 0;
  const to = times.at(-1) ?? from;
  return to - from < 60 ? [from - 300, to + 300] : [from, to];
}

function dataOf({ ts, series }: Chart): uPlot.AlignedData {
  return [[...ts], ...series.map(({ values }) => [...values])];
}

function worded(value: number, unit: Chart["unit"]): string {
  if (unit === "bytes") return bytes(value);
  if (unit === "percent") return `${Math.round(value)} %`;
  return count(value);
}

function lastWords({ series, unit }: Chart): string {
  return series
    .map(({ label, values }) => {
      const last = values.findLast((value) => value !== null);
      return `${label} ${last === undefined || last === null ? "unknown" : worded(last, unit)}`;
    })
    .join(", ");
}
