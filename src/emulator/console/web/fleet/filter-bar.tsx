import { useMemo } from "preact/hooks";
import type { Gateway } from "../../../fleet/gateway.ts";
import { isFailing, isOnline } from "../../../fleet/gateway.ts";
import { count } from "../format.ts";

/** Ready-made filters, with how many gateways each one holds for. */
const quick: readonly {
  readonly label: string;
  readonly filter: string;
  readonly holds: (gateway: Gateway, now: number) => boolean;
}[] = [
  { label: "All", filter: "", holds: () => true },
  { label: "Online", filter: "is:online", holds: isOnline },
  {
    label: "Offline",
    filter: "is:offline status:activated",
    holds: (gateway, now) => gateway.status === "activated" && !isOnline(gateway, now),
  },
  { label: "Failing", filter: "is:failing", holds: ({ apps }) => apps.some(isFailing) },
  { label: "Waiting", filter: "is:pending", holds: ({ pending }) => pending !== undefined },
];

export interface FilterBarProps {
  readonly filter: string;
  readonly problem: string | undefined;
  readonly gateways: readonly Gateway[];
  readonly matching: number;
  readonly moment: number;
  readonly onChange: (filter: string) => void;
}

export function FilterBar({ filter, problem, gateways, matching, moment, onChange }: FilterBarProps) {
  const counts = useMemo(
    () => quick.map(({ holds }) => gateways.filter((one) => holds(one, moment)).length),
    [gateways, moment],
  );
  return (
    <search class="filter-bar">
      <fieldset class="quick">
        <legend class="unseen">Ready-made filters</legend>
        {quick.map(({ label, filter: own }, index) => (
          <button type="button" key={label} aria-pressed={filter === own} onClick={() => onChange(own)}>
            {label} <span class="count">{count(counts[index] ?? 0)}</span>
          </button>
        ))}
      </fieldset>
      <FilterInput filter={filter} problem={problem} onChange={onChange} />
      <output class="muted" aria-live="polite">
        {problem === undefined ? `${count(matching)} of ${count(gateways.length)}` : ""}
      </output>
    </search>
  );
}

export interface FilterInputProps {
  readonly filter: string;
  readonly problem: string | undefined;
  readonly label?: string;
  readonly id?: string;
  readonly onChange: (filter: string) => void;
}

export function FilterInput({ filter, problem, label = "Filter", id, onChange }: FilterInputProps) {
  return (
    <div class="filter-input">
      <input
        type="search"
        id={id}
        aria-label={label}
        placeholder="Filter: serial, tag:pilot, app.meter<1.3, is:offline, disk>80 …"
        spellcheck={false}
        autocomplete="off"
        value={filter}
        aria-invalid={problem !== undefined}
        aria-describedby="filter-problem"
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <span class="problem" id="filter-problem" role="alert">
        {problem}
      </span>
    </div>
  );
}
