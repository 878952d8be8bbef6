import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { useFleet } from "../context.ts";
import { type Sort, Table } from "../parts/table.tsx";
import { toggled } from "../parts/toggled.ts";
import { useSorted } from "../parts/use-sorted.ts";
import { replaceQuery } from "../router.ts";
import { ridOf } from "../types.ts";
import { FilterBar } from "./filter-bar.tsx";
import { fleetColumns } from "./fleet-columns.tsx";
import { SelectionBar } from "./selection-bar.tsx";
import { useFilter } from "./use-filter.ts";

/** All gateways, as one table. */
export function FleetPage({ query }: { readonly query: URLSearchParams }) {
  const live = useFleet();
  const moment = live.moment();
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

  const toggle = useCallback((rid: string) => setSelected((before) => toggled(before, rid)), []);
  const hasTags = useMemo(() => live.gateways.some(({ tags }) => tags.length > 0), [live.gateways]);
  const columns = useMemo(
    () => fleetColumns(moment, { has: (rid) => selected.has(rid), toggle }, hasTags),
    [moment, selected, toggle, hasTags],
  );
  // Sorted first: then a filter, which changes with every letter, leaves the order as it is.
  const inOrder = useSorted(live.gateways, columns, sort, ridOf);
  const { gateways, problem } = useFilter(inOrder, filter, moment);
  return (
    <main class="page fleet" id="main">
      <h1 class="unseen">Fleet</h1>
      <FilterBar
        filter={filter}
        problem={problem}
        gateways={live.gateways}
        matching={gateways.length}
        moment={moment}
        onChange={setFilter}
      />
      <Table
        label="Gateways"
        columns={columns}
        rows={gateways}
        keyOf={ridOf}
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
