import { gatewayFacts } from "../fleet/facts.ts";
import { isFailing } from "../fleet/gateway.ts";
import { gatewayAliases } from "../gateway-dataports.ts";

export interface AliasHistory {
  readonly alias: string;
  /** Oldest first. */
  readonly points: readonly (readonly [ts: number, value: string])[];
}

/** One chart: a row of times, and for each series a value (or none) at each of them. */
export interface Chart {
  readonly title: string;
  readonly unit: "percent" | "count" | "bytes" | "";
  readonly ts: readonly number[];
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
}

type Sample = Readonly<Record<string, number | undefined>>;

/** What of a gateway's history can be drawn. */
export function chartsOf(histories: readonly AliasHistory[]): Chart[] {
  const of = (alias: string) => histories.find((history) => history.alias === alias)?.points ?? [];
  const facts = (alias: string) =>
    of(alias).map(([ts, text]) => ({ ts, facts: gatewayFacts(new Map([[alias, { ts, text }]])) }));
  const reports = facts("engine_report");
  const machine = facts("device_info");
  return [
    chart("Apps", "count", reports, ({ facts: { apps } }) => ({
      running: apps.filter(({ status }) => status === "RUNNING").length,
      failing: apps.filter(isFailing).length,
    })),
    chart("Queue", "count", reports, ({ facts: { queue } }) => ({ entries: queue })),
    chart("Memory and disk", "percent", machine, ({ facts: { memory, disk } }) => ({
      memory,
      "fullest file system": disk,
    })),
    trafficChart(facts("usage_report").map((report) => ({ ts: report.ts, total: report.facts.traffic }))),
    ...ownCharts(histories),
  ].filter(({ series, ts }) => ts.length > 0 && series.length > 0);
}

function chart<T extends { readonly ts: number }>(
  title: string,
  unit: Chart["unit"],
  points: readonly T[],
  sample: (point: T) => Sample,
): Chart {
  const samples = points.map(sample);
  const labels = [...new Set(samples.flatMap(Object.keys))].filter((label) =>
    samples.some((values) => values[label] !== undefined),
  );
  return {
    title,
    unit,
    ts: points.map(({ ts }) => ts),
    series: labels.map((label) => ({ label, values: samples.map((values) => values[label] ?? null) })),
  };
}

/** Bytes between one report and the next; a sum that fell began anew. */
function trafficChart(
  reports: readonly { readonly ts: number; readonly total: number | undefined }[],
): Chart {
  const known = reports.flatMap(({ ts, total }) => (total === undefined ? [] : [{ ts, total }]));
  const moved = known.map(({ ts, total }, index) => {
    const before = known[index - 1]?.total ?? total;
    return { ts, moved: total >= before ? total - before : total };
  });
  return chart("Traffic between reports", "bytes", moved.slice(1), (point) => ({ moved: point.moved }));
}

/** Dataports of the apps: a plain number, or the numbers on the top level of an object. */
function ownCharts(histories: readonly AliasHistory[]): Chart[] {
  return histories
    .filter(({ alias }) => !gatewayAliases.includes(alias))
    .map(({ alias, points }) => {
      const numeric = points
        .map(([ts, text]) => ({ ts, sample: numbersIn(text) }))
        .filter(({ sample }) => Object.keys(sample).length > 0);
      return chart(alias, "", numeric, ({ sample }) => sample);
    });
}

/** Series drawn of one dataport at most. */
const maxSeries = 6;

function numbersIn(text: string): Record<string, number> {
  if (text.trim() !== "" && Number.isFinite(Number(text))) return { value: Number(text) };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return {};
    const numbers = Object.entries(value).filter((entry): entry is [string, number] =>
      Number.isFinite(entry[1]),
    );
    return Object.fromEntries(numbers.slice(0, maxSeries));
  } catch {
    return {}; // text is for reading, not for drawing
  }
}
