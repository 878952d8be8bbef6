import type { AppStatus } from "../core/app-status.ts";
import { by, counter, gauge, type Sample } from "../core/prometheus.ts";
import { type BudgetStanding, budgetLevels } from "./budget/budget.ts";
import type { UsageState } from "./usage/usage-state.ts";

export interface EngineMetricsInput {
  readonly engineVersion: string;
  readonly nodeVersion: string;
  readonly apps: readonly AppStatus[];
  readonly checkIns: { readonly succeeded: number; readonly failed: number };
  /** Unix milliseconds; undefined before the first of this process. */
  readonly lastCheckInMs: number | undefined;
  /** Results of commands that wait to be told. */
  readonly waitingResults: number;
  /** Of the engine's process, since its start. */
  readonly process: {
    readonly startedAtMs: number;
    readonly cpuMs: number;
    readonly residentBytes: number;
    /** Undefined where the kernel does not tell. */
    readonly diskWrittenBytes: number | undefined;
  };
  readonly usage: UsageState;
  readonly budgets: readonly BudgetStanding[];
}

/** What `/metrics` tells of the engine and the apps. */
export function formatEngineMetrics(input: EngineMetricsInput): string {
  return [
    ...engineFamilies(input),
    ...appFamilies(input.apps),
    ...trafficFamilies(input.usage),
    ...budgetFamilies(input.budgets),
  ].join("");
}

function* engineFamilies(input: EngineMetricsInput): Generator<string> {
  const { engineVersion, nodeVersion, checkIns, lastCheckInMs, process } = input;
  yield gauge("gwe_build_info", "1; the versions of engine and Node.js.", [
    [{ version: engineVersion, node: nodeVersion }, 1],
  ]);
  yield counter("gwe_check_ins_total", "Check-ins since the start.", by("result", checkIns));
  yield gauge(
    "gwe_last_check_in_timestamp_seconds",
    "When the last check-in succeeded.",
    lastCheckInMs === undefined ? [] : [[{}, lastCheckInMs / 1000]],
  );
  yield gauge("gwe_waiting_results", "Results of commands that Murano has not been told yet.", [
    [{}, input.waitingResults],
  ]);
  // The names that Prometheus' own client libraries give a process' facts.
  yield gauge("process_start_time_seconds", "When the engine started.", [[{}, process.startedAtMs / 1000]]);
  yield counter("process_cpu_seconds_total", "Processor time of the engine.", [[{}, process.cpuMs / 1000]]);
  yield gauge("process_resident_memory_bytes", "Resident memory of the engine.", [
    [{}, process.residentBytes],
  ]);
  const { diskWrittenBytes } = process;
  yield counter(
    "gwe_disk_written_bytes_total",
    "Bytes that the engine, its installers and unpackers wrote to disk since the start.",
    diskWrittenBytes === undefined ? [] : [[{}, diskWrittenBytes]],
  );
}

function* appFamilies(apps: readonly AppStatus[]): Generator<string> {
  const longRunning = apps.filter(({ kind }) => kind === "long-running");
  const each = (ask: (app: AppStatus) => number | undefined): readonly Sample[] =>
    longRunning.flatMap((app): Sample[] => {
      const value = ask(app);
      return value === undefined ? [] : [[{ app: app.name }, value]];
    });
  yield gauge(
    "gwe_app_info",
    "1; the version of each installed app.",
    apps.map(({ name, version, kind }) => [{ app: name, version, kind }, 1]),
  );
  yield gauge(
    "gwe_app_up",
    "1 while the app is RUNNING.",
    each(({ state }) => (state === "RUNNING" ? 1 : 0)),
  );
  yield gauge(
    "gwe_app_state",
    "1; the state of each app, as in engine_report.",
    longRunning.map(({ name, state }) => [{ app: name, state }, 1]),
  );
  yield counter(
    "gwe_app_restarts_total",
    "Starts after an end that nobody asked for.",
    each(({ restarts }) => restarts),
  );
  yield gauge(
    "gwe_app_start_time_seconds",
    "When the app's running process started.",
    each(({ startedAtMs }) => (startedAtMs === undefined ? undefined : startedAtMs / 1000)),
  );
  yield gauge(
    "gwe_app_last_exit_status",
    "Exit status of the app's last process that ended.",
    each(({ exitStatus }) => exitStatus),
  );
  yield gauge(
    "gwe_app_healthy",
    "1 while the app's probes succeed.",
    each(({ health }) => (health === undefined ? undefined : health === "ok" ? 1 : 0)),
  );
}

function* trafficFamilies({ interfaces }: UsageState): Generator<string> {
  const all = Object.entries(interfaces);
  const consumers = all.flatMap(([name, usage]) =>
    Object.entries(usage.consumers).map(([consumer, one]) => [{ interface: name, consumer }, one] as const),
  );
  yield counter(
    "gwe_network_receive_bytes_total",
    "Bytes of all programs by interface, as usage_report counts them.",
    all.map(([name, { rx }]) => [{ interface: name }, rx]),
  );
  yield counter(
    "gwe_network_transmit_bytes_total",
    "Bytes of all programs by interface, as usage_report counts them.",
    all.map(([name, { tx }]) => [{ interface: name }, tx]),
  );
  yield counter(
    "gwe_consumer_receive_bytes_total",
    "Bytes of requests to Murano by interface and consumer.",
    consumers.map(([labels, { totalRx }]) => [labels, totalRx]),
  );
  yield counter(
    "gwe_consumer_transmit_bytes_total",
    "Bytes of requests to Murano by interface and consumer.",
    consumers.map(([labels, { totalTx }]) => [labels, totalTx]),
  );
  yield counter(
    "gwe_consumer_requests_total",
    "Requests to Murano by interface and consumer.",
    consumers.map(([labels, { requests }]) => [labels, requests]),
  );
}

function* budgetFamilies(budgets: readonly BudgetStanding[]): Generator<string> {
  if (budgets.length === 0) return;
  yield gauge(
    "gwe_budget_level",
    "0: all is well; 1: a warning; 2: a limit is exceeded.",
    budgets.map(({ budget, level }) => [{ interfaces: budget.interfaces }, budgetLevels.indexOf(level)]),
  );
  const each = (ask: (standing: BudgetStanding) => readonly (number | undefined)[]): Sample[] =>
    budgets.flatMap((standing) => {
      const { interfaces } = standing.budget;
      return ask(standing).flatMap((value, index): Sample[] =>
        value === undefined ? [] : [[{ interfaces, period: index === 0 ? "day" : "month" }, value]],
      );
    });
  yield gauge(
    "gwe_budget_used_bytes",
    "What of a budget was used in the period.",
    each(({ spent }) => [spent.day.bytes, spent.month.bytes]),
  );
  yield gauge(
    "gwe_budget_limit_bytes",
    "What may flow in the period.",
    each(({ budget }) => [budget.dailyBytes, budget.monthlyBytes]),
  );
}
