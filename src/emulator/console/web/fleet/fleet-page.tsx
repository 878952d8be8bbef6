import { useEffect, useMemo, useState } from "preact/hooks";
import { useFleet } from "../context.ts";
import { type Sort, sorted, Table } from "../parts/table.tsx";
import { replaceQuery } from "../router.ts";
import { FilterBar } from "./filter-bar.tsx";
import { fleetColumns } from "./fleet-columns.tsx";
import { SelectionBar } from "./selection-bar.tsx";
import { useFilter } from "./use-filter.ts";

/** All gateways, as one table. */
export function FleetPage({ query }: { readonly query: URLSearchParams }) {
  const live = useFleet();
  const now = live.now();
  const [filter, setFilter] = useState(query.get("filter") ?? "");
  const [sort, setSort] = useState<Sort>({ key: query.get("sort") ?? "sn", isDescending: query.has("desc") });
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());

  // The address always leads back to what is shown.
  useEffect(() => {
    const order = sort.key === "sn" ? {} : { sort: sort.key };
    replaceQuery([], { filter, ...order, ...(sort.isDescending && { desc: "1" }) });
  }, [filter, sort]);
  // Another link to the fleet, with a filter of its own, while it is open.
  const linked = query.get("filter");
  useEffect(() => {
    if (linked !== null) setFilter(linked);
  }, [linked]);

  const { gateways, problem } = useFilter(live.gateways, filter, now);
  const toggle = (rid: string) =>
    setSelected((before) => {
      const after = new Set(before);
      if (!after.delete(rid)) after.add(rid);
      return after;
    });
  const columns = fleetColumns(now, { has: (rid) => selected.has(rid), toggle });
  // What columns sort by does not change.
  const rows = useMemo(() => sorted(gateways, columns, sort), [gateways, sort]);
  return (
    <main class="page fleet" id="main">
      <h1 class="unseen">Fleet</h1>
      <FilterBar
        filter={filter}
        problem={problem}
        gateways={live.gateways}
        matching={gateways.length}
        now={now}
        onChange={setFilter}
      />
      <Table
        label="Gateways"
        columns={columns}
        rows={rows}
        keyOf={({ rid }) => rid}
        sort={sort}
        onSort={setSort}
        empty={<Empty isReady={live.isReady} hasGateways={live.gateways.length > 0} />}
      />
      <SelectionBar filter={filter} matching={gateways} selected={selected} onSelect={setSelected} />
    </main>
  );
}

function Empty({ isReady, hasGateways }: { readonly isReady: boolean; readonly hasGateways: boolean }) {
  if (!isReady) return <p>Loading the fleet…</p>;
  if (hasGateways) return <p>No gateway matches this filter.</p>;
  return (
    <p>There are no gateways yet. They show up once their serial numbers are enabled and they activate.</p>
  );
}
