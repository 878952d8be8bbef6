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
    scales: { x: { range: timeRange }, y: chart.unit === "percent" ? { range: [0, 100] } : fromZero },
    axes: [axis, { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => worded(tick, chart.unit)) }],
    series: [
      {},
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

/** A single point has room on both sides. */
function timeRange({ data: [times] }: uPlot): [number, number] {
  const from = times[0] ?? 0;
  const to = times.at(-1) ?? from;
  return to - from < 60 ? [from - 1800, to + 1800] : [from, to];
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
