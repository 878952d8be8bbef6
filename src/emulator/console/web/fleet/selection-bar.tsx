import { useState } from "preact/hooks";
import type { Gateway } from "../../../fleet/gateway.ts";
import { AppCommandDialog } from "../commands/app-command-dialog.tsx";
import { plural } from "../format.ts";
import { goTo, hrefOf } from "../router.ts";

export interface SelectionBarProps {
  readonly filter: string;
  /** Those that the filter chooses. */
  readonly matching: readonly Gateway[];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
}

/** What can be done with the chosen gateways: the selected ones, or where none is, all that the filter holds for. */
export function SelectionBar({ filter, matching, selected, onSelect }: SelectionBarProps) {
  const [isAsking, setAsking] = useState(false);
  const chosen = selected.size > 0 ? matching.filter(({ rid }) => selected.has(rid)) : matching;
  const bySerial = `sn:"${chosen.map(({ sn }) => sn).join(",")}"`;
  const chosenFilter = selected.size > 0 ? bySerial : filter;
  return (
    <div class="selection-bar">
      <span>
        {selected.size > 0
          ? `${plural(chosen.length, "gateway")} selected`
          : `${plural(chosen.length, "gateway")}`}
      </span>
      {selected.size > 0 ? (
        <button type="button" class="quiet" onClick={() => onSelect(new Set())}>
          Select none
        </button>
      ) : (
        <button
          type="button"
          class="quiet select-all"
          onClick={() => onSelect(new Set(matching.map(({ rid }) => rid)))}
        >
          Select all
        </button>
      )}
      <span class="space" />
      <button type="button" disabled={chosen.length === 0} onClick={() => setAsking(true)}>
        Command…
      </button>
      <a class="button primary" href={hrefOf(["deploy"], { filter: chosenFilter })}>
        Deploy…
      </a>
      {isAsking && (
        <AppCommandDialog
          gateways={chosen}
          onGiven={(id) => goTo(["commands", id])}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}
