import { useEffect, useMemo, useState } from "preact/hooks";
import { problemOf } from "../api.ts";
import { targetColumns } from "../commands/target-columns.tsx";
import { describeCommand } from "../commands/verbs.ts";
import { useConsole, useFleet, useLoaded, useNews } from "../context.ts";
import { duration, plural, time } from "../format.ts";
import { Counts, State } from "../parts/states.tsx";
import { type Sort, Table } from "../parts/table.tsx";
import { useSorted } from "../parts/use-sorted.ts";
import { type Rollout, ridOf, type Target } from "../types.ts";
import { RolloutState } from "./rollout-state.tsx";

const actions: readonly {
  readonly action: string;
  readonly label: string;
  readonly from: readonly string[];
}[] = [
  { action: "pause", label: "Pause", from: ["running"] },
  { action: "resume", label: "Resume", from: ["paused", "stopped"] },
  { action: "abort", label: "Abort", from: ["running", "paused", "stopped", "rolling-back"] },
  {
    action: "roll-back",
    label: "Roll back what was done",
    from: ["running", "paused", "stopped", "aborted", "completed"],
  },
];

const shownGateways = 10_000;

/** One roll-out, live. */
export function RolloutPage({ id }: { readonly id: string }) {
  const { api, notify } = useConsole();
  const live = useFleet();
  const path = `rollouts/${encodeURIComponent(id)}`;
  const { data, problem, reload } = useLoaded<{ rollout: Rollout }>(path);
  const list = useLoaded<{ gateways: readonly Target[] }>(`${path}/gateways?limit=${shownGateways}`);
  const [news, setNews] = useState<Rollout>();
  useNews((told) => {
    if (told.kind === "rollout" && told.rollout.id === id) setNews(told.rollout);
  });
  // Each time it changed.
  useEffect(() => list.reload(), [news]);
  const [sort, setSort] = useState<Sort>({ key: "state", isDescending: false });
  const targets = list.data?.gateways ?? [];
  const moment = live.moment();
  const columns = useMemo(() => targetColumns(moment), [moment]);
  const rows = useSorted(targets, columns, sort, ridOf);
  const rollout = news ?? data?.rollout;
  const act = async (action: string) => {
    try {
      setNews((await api.send<{ rollout: Rollout }>("POST", `${path}/${action}`)).rollout);
    } catch (error) {
      notify(problemOf(error), "bad");
      reload();
    }
  };
  return (
    <main class="page" id="main">
      <div class="heading">
        <h1>{rollout?.name ?? "Roll-out"}</h1>
        {rollout &&
          actions
            .filter(({ from }) => from.includes(rollout.state))
            .map(({ action, label }) => (
              <button type="button" key={action} onClick={() => void act(action)}>
                {label}
              </button>
            ))}
      </div>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {rollout && <Progress rollout={rollout} now={live.now()} />}
      <Table
        label="Gateways of this roll-out"
        columns={columns}
        rows={rows}
        keyOf={ridOf}
        sort={sort}
        onSort={setSort}
        empty={<p>No gateway has been told yet.</p>}
      />
    </main>
  );
}

function Progress({ rollout, now }: { readonly rollout: Rollout; readonly now: number }) {
  const { filter, command, createdAt, reason, waves, counts, soakUntil } = rollout;
  return (
    <>
      <p class="outcome">
        <RolloutState rollout={rollout} />
        <span>
          {reason}
          {soakUntil !== null && soakUntil > now && `The wave soaks ${duration(soakUntil - now)} more.`}
        </span>
      </p>
      <p class="muted">
        {describeCommand(command)} to <code>{filter || "all"}</code>, since {time(createdAt)}
      </p>
      <Counts counts={counts} />
      <ol class="waves">
        {waves.map((wave, index) => (
          <li key={`${index + 1}`} class="card" aria-current={index === rollout.wave ? "step" : undefined}>
            <strong>Wave {index + 1}</strong> <span class="muted">{plural(wave.size, "gateway")}</span>{" "}
            {isHalted(rollout, index) ? <RolloutState rollout={rollout} /> : <State text={wave.state} />}
            <Counts counts={wave.counts} />
          </li>
        ))}
      </ol>
    </>
  );
}

/** The wave under way, of a roll-out that is not. */
function isHalted({ state, wave, waves }: Rollout, index: number): boolean {
  return index === wave && state !== "running" && waves[index]?.state !== "done";
}
