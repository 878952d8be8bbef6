import type { Gateway } from "../../../fleet/gateway.ts";
import { useFleet } from "../context.ts";
import { ago, bytes, time } from "../format.ts";
import { Block } from "../parts/block.tsx";
import type { Values } from "./gateway-page.tsx";
import { reportOf } from "./report-values.ts";

/** Every dataport's newest value: the reports as tables, the rest as it is. */
export function ReportsTab({ values }: { readonly gateway: Gateway; readonly values: Values }) {
  return (
    <>
      <Usage values={values} />
      <Texts values={values} />
      {Object.entries(values).map(([alias, { ts, value }]) => (
        <Dataport key={alias} alias={alias} ts={ts} value={value} />
      ))}
    </>
  );
}

interface InterfaceUsage {
  readonly rx?: number;
  readonly tx?: number;
  readonly consumers?: Readonly<
    Record<string, { readonly tot_rx: number; readonly tot_tx: number; readonly num: number }>
  >;
}

/** `usage_report`: who moved how much. */
function Usage({ values }: { readonly values: Values }) {
  const report = reportOf(values, "usage_report") as Readonly<Record<string, InterfaceUsage>> | undefined;
  const rows = Object.entries(report ?? {}).flatMap(([name, { rx, tx, consumers = {} }]) => [
    { name, consumer: "all programs", rx, tx, requests: undefined },
    ...Object.entries(consumers).map(([consumer, { tot_rx, tot_tx, num }]) => ({
      name,
      consumer,
      rx: tot_rx,
      tx: tot_tx,
      requests: num,
    })),
  ]);
  if (rows.length === 0) return null;
  return (
    <section class="card" aria-labelledby="usage-title">
      <h2 id="usage-title">Bandwidth</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Interface</th>
              <th scope="col">Consumer</th>
              <th scope="col">Received</th>
              <th scope="col">Sent</th>
              <th scope="col">Requests</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, consumer, rx, tx, requests }) => (
              <tr key={`${name} ${consumer}`}>
                <td>{name}</td>
                <td>{consumer}</td>
                <td class="number">{rx === undefined ? "" : bytes(rx)}</td>
                <td class="number">{tx === undefined ? "" : bytes(tx)}</td>
                <td class="number">{requests}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const texts = ["uname", "df", "free", "ipaddrs"];

/** `device_info`: the texts that a person reads in a monospaced block. */
function Texts({ values }: { readonly values: Values }) {
  const report = reportOf(values, "device_info") as Readonly<Record<string, unknown>> | undefined;
  const shown = texts.filter((key) => typeof report?.[key] === "string" && report[key] !== "");
  if (shown.length === 0) return null;
  return (
    <section class="card" aria-labelledby="machine-title">
      <h2 id="machine-title">Machine</h2>
      {shown.map((key) => (
        <figure key={key}>
          <figcaption>{key}</figcaption>
          <Block label={key}>{String(report?.[key])}</Block>
        </figure>
      ))}
    </section>
  );
}

function Dataport({
  alias,
  ts,
  value,
}: {
  readonly alias: string;
  readonly ts: number;
  readonly value: string;
}) {
  const live = useFleet();
  return (
    <details class="card dataport">
      <summary>
        <code>{alias}</code>{" "}
        <span class="muted" title={time(ts)}>
          {ago(ts, live.now())}, {bytes(new Blob([value]).size)}
        </span>
      </summary>
      <Block label={`Value of ${alias}`}>{indented(value)}</Block>
    </details>
  );
}

function indented(value: string): string {
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value || "(empty)";
  }
}
