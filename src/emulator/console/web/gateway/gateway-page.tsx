import { useEffect, useState } from "preact/hooks";
import { type Gateway, isOnline } from "../../../fleet/gateway.ts";
import { useFleet, useLoaded } from "../context.ts";
import { TagsDialog } from "../fleet/tags-dialog.tsx";
import { ago, time } from "../format.ts";
import { presenceWord } from "../parts/states.tsx";
import { Tag } from "../parts/tag.tsx";
import { hrefOf } from "../router.ts";
import { AppsCard } from "./apps-card.tsx";
import { ChartsTab } from "./charts-tab.tsx";
import { FactsCard } from "./facts-card.tsx";
import { IntervalCard } from "./interval-card.tsx";
import { JobsTab } from "./jobs-tab.tsx";
import { PendingCard } from "./pending-card.tsx";
import { ReportsTab } from "./reports-tab.tsx";

export type Values = Readonly<Record<string, { readonly ts: number; readonly value: string }>>;

const tabs = [
  { name: "overview", label: "Overview" },
  { name: "charts", label: "Charts" },
  { name: "jobs", label: "Jobs and logs" },
  { name: "reports", label: "Reports" },
];

/** Everything about one gateway. */
export function GatewayPage({ rid, tab }: { readonly rid: string; readonly tab: string }) {
  const live = useFleet();
  const path = `gateways/${encodeURIComponent(rid)}`;
  const { data, problem, reload } = useLoaded<{ gateway: Gateway; values: Values }>(path);
  const gateway = live.find(rid) ?? data?.gateway;
  // A new report: whatever is shown of its values is out of date.
  const { seen, pending } = gateway ?? {};
  // Each time it spoke.
  useEffect(() => reload(), [seen, pending]);
  if (!gateway) {
    return (
      <main class="page" id="main">
        <h1>Gateway</h1>
        <p class="muted">{problem ?? "Loading…"}</p>
      </main>
    );
  }
  return (
    <main class="page" id="main">
      <Header gateway={gateway} now={live.now()} />
      <nav class="tabs" aria-label="About this gateway">
        {tabs.map(({ name, label }) => (
          <a
            key={name}
            href={hrefOf(["gateways", rid, ...(name === "overview" ? [] : [name])])}
            aria-current={name === tab ? "page" : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      <Tab tab={tab} gateway={gateway} values={data?.values} reload={reload} />
    </main>
  );
}

interface TabProps {
  readonly tab: string;
  readonly gateway: Gateway;
  readonly values: Values | undefined;
  readonly reload: () => void;
}

function Tab({ tab, gateway, values, reload }: TabProps) {
  switch (tab) {
    case "charts":
      return <ChartsTab gateway={gateway} />;
    case "jobs":
      return <JobsTab gateway={gateway} />;
    case "reports":
      return <ReportsTab gateway={gateway} values={values ?? {}} />;
    default:
      return (
        <div class="overview">
          <AppsCard gateway={gateway} values={values ?? {}} />
          <div class="side">
            <PendingCard gateway={gateway} values={values ?? {}} onChange={reload} />
            <FactsCard gateway={gateway} />
            <IntervalCard gateway={gateway} values={values ?? {}} onChange={reload} />
          </div>
        </div>
      );
  }
}

function Header({ gateway, now }: { readonly gateway: Gateway; readonly now: number }) {
  const { sn, product, host, seen, groups, tags } = gateway;
  const [isTagging, setTagging] = useState(false);
  const isHere = isOnline(gateway, now);
  return (
    <header class="gateway-header">
      <h1>{sn}</h1>
      <p>
        <span class={`state ${isHere ? "good" : "gone"}`}>
          <span class="dot" aria-hidden="true" />
          {presenceWord(gateway, now)}
        </span>
        <span class="muted" title={seen === null ? undefined : time(seen)}>
          seen {ago(seen, now)}
        </span>
        <a href={hrefOf([], { filter: `product:${product}` })}>{product}</a>
        {host !== undefined && <span>{host}</span>}
        {groups.map((group) => (
          <Tag key={group} kind="group" tag={group} />
        ))}
        {tags.map((tag) => (
          <Tag key={tag} tag={tag} />
        ))}
        <button type="button" class="quiet small" onClick={() => setTagging(true)}>
          {tags.length === 0 ? "Add tags…" : "Tags…"}
        </button>
      </p>
      {isTagging && <TagsDialog gateways={[gateway]} onClose={() => setTagging(false)} />}
    </header>
  );
}
