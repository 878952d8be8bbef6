import { useFleet, useLoaded, useNews } from "../context.ts";
import { ago, time } from "../format.ts";
import { Counts } from "../parts/states.tsx";
import { hrefOf } from "../router.ts";
import type { Command } from "../types.ts";
import { describeCommand } from "./verbs.ts";

/** The newest commands. */
export function CommandsPage() {
  const live = useFleet();
  const { data, problem, reload } = useLoaded<{ commands: readonly Command[] }>("commands");
  useNews((news) => {
    if (news.kind === "command") reload();
  });
  return (
    <main class="page" id="main">
      <div class="heading">
        <h1>Commands</h1>
        <a class="button primary" href="#/deploy">
          Deploy…
        </a>
      </div>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {data?.commands.length === 0 && <p class="muted">No command has been given from here yet.</p>}
      <ul class="list">
        {data?.commands.map(({ id, at, command, counts }) => (
          <li key={id} class="card row">
            <a class="grow" href={hrefOf(["commands", id])}>
              {describeCommand(command)}
            </a>
            <Counts counts={counts} />
            <span class="muted when" title={time(at)}>
              {ago(at, live.now())}
            </span>
          </li>
        ))}
      </ul>
    </main>
  );
}
