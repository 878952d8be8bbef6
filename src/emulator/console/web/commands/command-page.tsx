import { useEffect, useMemo, useState } from "preact/hooks";
import { useFleet, useLoaded, useNews } from "../context.ts";
import { plural, time } from "../format.ts";
import { Counts } from "../parts/states.tsx";
import { type Sort, Table } from "../parts/table.tsx";
import { useSorted } from "../parts/use-sorted.ts";
import { type Command, ridOf, type Target } from "../types.ts";
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
  const targets = data?.command.gateways ?? [];
  const moment = live.moment();
  const columns = useMemo(() => targetColumns(moment), [moment]);
  const rows = useSorted(targets, columns, sort, ridOf);
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
        keyOf={ridOf}
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
