import { useState } from "preact/hooks";
import { describeCommand } from "../commands/verbs.ts";
import { useFleet, useLoaded, useNews } from "../context.ts";
import { ago, time } from "../format.ts";
import { Counts } from "../parts/states.tsx";
import { hrefOf } from "../router.ts";
import type { Rollout } from "../types.ts";
import { NewRollout } from "./new-rollout.tsx";
import { RolloutState } from "./rollout-state.tsx";

/** All roll-outs, and a new one. */
export function RolloutsPage({ query }: { readonly query: URLSearchParams }) {
  const live = useFleet();
  const [isNew, setNew] = useState(query.has("package"));
  const { data, problem, reload } = useLoaded<{ rollouts: readonly Rollout[] }>("rollouts");
  useNews((news) => {
    if (news.kind === "rollout") reload();
  });
  return (
    <main class="page" id="main">
      <div class="heading">
        <h1>Roll-outs</h1>
        <button type="button" class="primary" aria-expanded={isNew} onClick={() => setNew(!isNew)}>
          New roll-out…
        </button>
      </div>
      {isNew && <NewRollout query={query} />}
      {problem !== undefined && <p class="problem">{problem}</p>}
      {data?.rollouts.length === 0 && !isNew && (
        <p class="muted">
          A roll-out takes a command to many gateways in waves, and stops by itself when too many fail.
        </p>
      )}
      <ul class="list">
        {data?.rollouts.map((rollout) => (
          <li key={rollout.id} class="card row">
            <span class="grow">
              <a href={hrefOf(["rollouts", rollout.id])}>{rollout.name}</a>{" "}
              <span class="muted">{describeCommand(rollout.command)}</span>
            </span>
            <RolloutState rollout={rollout} />
            <Counts counts={rollout.counts} />
            <span class="muted when" title={time(rollout.createdAt)}>
              {ago(rollout.createdAt, live.now())}
            </span>
          </li>
        ))}
      </ul>
    </main>
  );
}
