import { useMemo, useState } from "preact/hooks";
import type { Gateway } from "../../../fleet/gateway.ts";
import { AppCommandDialog } from "../commands/app-command-dialog.tsx";
import { plural } from "../format.ts";
import { goTo, hrefOf } from "../router.ts";
import { ridOf } from "../types.ts";
import { TagsDialog } from "./tags-dialog.tsx";

export interface SelectionBarProps {
  readonly filter: string;
  /** Those that the filter chooses. */
  readonly matching: readonly Gateway[];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
}

/** What can be done with the chosen gateways: the selected ones, or where none is, all that the filter holds for. */
export function SelectionBar({ filter, matching, selected, onSelect }: SelectionBarProps) {
  const [asking, setAsking] = useState<"command" | "tags">();
  const isSelecting = selected.size > 0;
  const chosen = useMemo(
    () => (isSelecting ? matching.filter(({ rid }) => selected.has(rid)) : matching),
    [matching, selected, isSelecting],
  );
  // Serial by serial only where the filter does not say the same.
  const chosenFilter = useMemo(
    () => (chosen.length === matching.length ? filter : `sn:"${chosen.map(({ sn }) => sn).join(",")}"`),
    [chosen, matching, filter],
  );
  return (
    <div class="selection-bar">
      <span>
        {plural(chosen.length, "gateway")}
        {isSelecting && " selected"}
      </span>
      {isSelecting ? (
        <button type="button" class="quiet" onClick={() => onSelect(new Set())}>
          Select none
        </button>
      ) : (
        <button type="button" class="quiet select-all" onClick={() => onSelect(new Set(matching.map(ridOf)))}>
          Select all
        </button>
      )}
      <span class="space" />
      <button type="button" disabled={chosen.length === 0} onClick={() => setAsking("tags")}>
        Tags…
      </button>
      <button type="button" disabled={chosen.length === 0} onClick={() => setAsking("command")}>
        Command…
      </button>
      <a class="button primary" href={hrefOf(["deploy"], { filter: chosenFilter })}>
        Deploy…
      </a>
      {asking === "tags" && <TagsDialog gateways={chosen} onClose={() => setAsking(undefined)} />}
      {asking === "command" && (
        <AppCommandDialog
          gateways={chosen}
          onGiven={(id) => goTo(["commands", id])}
          onClose={() => setAsking(undefined)}
        />
      )}
    </div>
  );
}
