import { useEffect, useMemo, useState } from "preact/hooks";
import { useFleet, useLoaded, useNews } from "../context.ts";
import { plural, time } from "../format.ts";
import { Counts } from "../parts/states.tsx";
import { type Sort, sorted, Table } from "../parts/table.tsx";
import type { Command, Target } from "../types.ts";
import { targetColumns } from "./target-columns.tsx";
import { describeCommand } from "./verbs.ts";

/** One command, and how it goes at each gateway. */
export function CommandPage({ id }: { readonly id: string }) {
  const live = useFleet();
  const { data, problem, reload } = useLoaded<{ command: Command & { gateways: readonly Target[] } }>(
    `commands/${id}`,
  );
  const [sort, setSort] = useState<Sort>({ key: "state", isDescending: false });
  useReloadSoon(id, reload);
  const columns = targetColumns(live.now());
  const targets = data?.command.gateways ?? [];
  // What columns sort by does not change.
  const rows = useMemo(() => sorted(targets, columns, sort), [targets, sort]);
  const command = data?.command;
  return (
    <main class="page" id="main">
      <h1>{command ? describeCommand(command.command) : "Command"}</h1>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {command && (
        <>
          <p class="muted">
            Given {time(command.at)} to {plural(targets.length, "gateway")} · <code>{command.id}</code>
          </p>
          <Counts counts={command.counts} />
        </>
      )}
      <Table
        label="Gateways of this command"
        columns={columns}
        rows={rows}
        keyOf={({ rid }) => rid}
        sort={sort}
        onSort={setSort}
        empty={<p>{command ? "It went to no gateway." : "Loading…"}</p>}
      />
    </main>
  );
}

/** A command to ten thousand gateways changes all the time: it is read again when the last answer has settled. */
function useReloadSoon(id: string, reload: () => void): void {
  const [isDue, setDue] = useState(false);
  useNews((news) => {
    if (news.kind === "command" && news.command.id === id) setDue(true);
  });
  // Once per notice.
  useEffect(() => {
    if (!isDue) return;
    reload();
    const timer = setTimeout(() => setDue(false), 300);
    return () => clearTimeout(timer);
  }, [isDue]);
}
