import { useState } from "preact/hooks";
import { isTag } from "../../../../core/tags.ts";
import type { Gateway } from "../../../fleet/gateway.ts";
import { useConsole, useFleet } from "../context.ts";
import { plural } from "../format.ts";
import { Dialog } from "../parts/dialog.tsx";
import { toggled } from "../parts/toggled.ts";

export interface TagsDialogProps {
  readonly gateways: readonly Gateway[];
  readonly onClose: () => void;
}

/** Gives tags to several gateways, and takes them away. */
export function TagsDialog({ gateways, onClose }: TagsDialogProps) {
  const { api, notify } = useConsole();
  const live = useFleet();
  const [text, setText] = useState("");
  const [removed, setRemoved] = useState<ReadonlySet<string>>(new Set());
  const add = text.split(/[\s,;]+/).filter((word) => word !== "");
  const odd = add.find((word) => !isTag(word));
  const save = async () => {
    const change = { gateways: gateways.map(({ rid }) => rid), add, remove: [...removed] };
    const { changed } = await api.send<{ changed: number }>("POST", "tags", change);
    notify(`Tags of ${plural(changed, "gateway")} changed`);
  };
  return (
    <Dialog
      title={`Tags of ${gateways.length === 1 ? gateways[0]?.sn : plural(gateways.length, "gateway")}`}
      action="Save"
      isReady={odd === undefined && (add.length > 0 || removed.size > 0)}
      onConfirm={save}
      onClose={onClose}
    >
      <TagList
        counts={tagCounts(gateways)}
        of={gateways.length}
        removed={removed}
        onToggle={(tag) => setRemoved(toggled(removed, tag))}
      />
      <label for="tags-add">Add</label>
      <input
        id="tags-add"
        list="tags-known"
        autocomplete="off"
        spellcheck={false}
        value={text}
        placeholder="hall-3 pilot"
        aria-invalid={odd !== undefined}
        aria-describedby="tags-hint"
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <datalist id="tags-known">
        {[...tagCounts(live.gateways).keys()].map((tag) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
      <p class={odd === undefined ? "hint" : "problem"} id="tags-hint">
        {odd === undefined
          ? "Several have spaces between. The filter tag:pilot finds those with the tag pilot."
          : `‘${odd}’ is no tag: no quote, * or ?, no - in front, at most 64 characters`}
      </p>
    </Dialog>
  );
}

interface TagListProps {
  readonly counts: ReadonlyMap<string, number>;
  readonly of: number;
  readonly removed: ReadonlySet<string>;
  readonly onToggle: (tag: string) => void;
}

/** Those that are there: unticked ones go. */
function TagList({ counts, of, removed, onToggle }: TagListProps) {
  if (counts.size === 0) return <p class="muted">No tags yet.</p>;
  return (
    <fieldset class="tag-list">
      <legend class="unseen">Tags that stay</legend>
      {[...counts].map(([tag, count]) => (
        <label key={tag} class="choice">
          <input type="checkbox" checked={!removed.has(tag)} onChange={() => onToggle(tag)} /> {tag}
          {of > 1 && <span class="muted"> {count}</span>}
        </label>
      ))}
    </fieldset>
  );
}

/** The most frequent first. */
function tagCounts(gateways: readonly Gateway[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { tags } of gateways) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}
