import { useEffect, useState } from "preact/hooks";
import type { Gateway } from "../../../fleet/gateway.ts";
import type { Chart } from "../../charts.ts";
import { useLoaded } from "../context.ts";
import { ChartView } from "./chart-view.tsx";

const spans = [
  { hours: 1, label: "1 hour" },
  { hours: 24, label: "1 day" },
  { hours: 24 * 7, label: "1 week" },
  { hours: 24 * 365, label: "All" },
];

const reloadMs = 15_000;

/** The gateway's history, drawn. */
export function ChartsTab({ gateway }: { readonly gateway: Gateway }) {
  const [hours, setHours] = useState(24);
  const path = `gateways/${encodeURIComponent(gateway.rid)}/charts?hours=${hours}`;
  const { data, problem, reload } = useLoaded<{ charts: readonly Chart[] }>(path);
  useEffect(() => {
    const timer = setInterval(reload, reloadMs);
    return () => clearInterval(timer);
  });
  return (
    <>
      <fieldset class="quick">
        <legend class="unseen">Time shown</legend>
        {spans.map((span) => (
          <button
            type="button"
            key={span.hours}
            aria-pressed={span.hours === hours}
            onClick={() => setHours(span.hours)}
          >
            {span.label}
          </button>
        ))}
      </fieldset>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {data?.charts.length === 0 && <p class="muted">Nothing was reported in this time.</p>}
      <div class="charts">
        {data?.charts.map((chart) => (
          <ChartView key={chart.title} chart={chart} />
        ))}
      </div>
    </>
  );
}
