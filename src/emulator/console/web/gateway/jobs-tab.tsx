import { useEffect, useState } from "preact/hooks";
import type { FetchStatus } from "../../../fleet/fetch-status.ts";
import type { Gateway } from "../../../fleet/gateway.ts";
import { problemOf } from "../api.ts";
import { useConsole, useFleet, useLoaded } from "../context.ts";
import { ago, bytes, time } from "../format.ts";
import { Block } from "../parts/block.tsx";
import { State } from "../parts/states.tsx";
import { hrefOf } from "../router.ts";

type Job = FetchStatus & { readonly ts: number };

/** How commands ended, with what installers printed; logs that were asked for are among them. */
export function JobsTab({ gateway }: { readonly gateway: Gateway }) {
  const path = `gateways/${encodeURIComponent(gateway.rid)}/jobs`;
  const { data, problem, reload } = useLoaded<{ jobs: readonly Job[] }>(path);
  const resultAt = gateway.result?.ts;
  // Each time a command ended.
  useEffect(() => reload(), [resultAt]);
  return (
    <>
      <FetchLog gateway={gateway} />
      {problem !== undefined && <p class="problem">{problem}</p>}
      {data?.jobs.length === 0 && <p class="muted">No command has ended yet.</p>}
      {data?.jobs.map((job, index) => (
        <JobCard key={`${job.ts}`} job={job} isOpen={index === 0} />
      ))}
    </>
  );
}

function FetchLog({ gateway }: { readonly gateway: Gateway }) {
  const { api, notify } = useConsole();
  const [app, setApp] = useState(gateway.apps[0]?.name ?? "");
  if (gateway.apps.length === 0) return null;
  const fetchLog = async () => {
    try {
      await api.send("POST", "commands", {
        gateways: [gateway.rid],
        command: { logs: [{ app, lines: 200 }] },
      });
      notify(`The log of ${app} comes with the next check-in`);
    } catch (error) {
      notify(problemOf(error), "bad");
    }
  };
  return (
    <form
      class="inline"
      onSubmit={(event) => {
        event.preventDefault();
        void fetchLog();
      }}
    >
      <label for="log-app">Log of</label>
      <select id="log-app" value={app} onChange={({ currentTarget }) => setApp(currentTarget.value)}>
        {gateway.apps.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <button type="submit">Fetch the last 200 lines</button>
    </form>
  );
}

function JobCard({ job: { ts, id, apps, error }, isOpen }: { readonly job: Job; readonly isOpen: boolean }) {
  const live = useFleet();
  return (
    <section class="card job" aria-label={`Command ${id}`}>
      <p class="muted">
        <span title={time(ts)}>{ago(ts, live.now())}</span> ·{" "}
        {id.startsWith("console-") ? (
          <a href={hrefOf(["commands", id])}>
            <code>{id}</code>
          </a>
        ) : (
          <code>{id || "no id"}</code>
        )}
      </p>
      {error !== undefined && <p class="problem">{error}</p>}
      {apps.map((app) => (
        <details key={`${app.name} ${app.version}`} open={isOpen}>
          <summary>
            <State text={app.status || "output"} /> {app.name} {app.version}
            {app.exit_code !== null && <span class="muted"> exit status {app.exit_code}</span>}
            {tookS(app) !== undefined && <span class="muted"> {tookS(app)} s</span>}
          </summary>
          <Block label={`Output of ${app.name}`}>
            {app.output_cut > 0 && `… ${bytes(app.output_cut)} cut\n`}
            {app.output || "(it printed nothing)"}
          </Block>
        </details>
      ))}
    </section>
  );
}

function tookS({ started, finished }: FetchStatus["apps"][number]): string | undefined {
  if (started === null || finished === null) return undefined;
  return ((Date.parse(finished) - Date.parse(started)) / 1000).toFixed(1);
}
