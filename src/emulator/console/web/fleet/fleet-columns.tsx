import { type Gateway, isFailing, isOnline } from "../../../fleet/gateway.ts";
import { ago, bytes, count, time } from "../format.ts";
import { naturalOrder, serialOrder } from "../parts/natural-order.ts";
import { AppPill, presenceWord, statusWord } from "../parts/states.tsx";
import type { Column } from "../parts/table.tsx";
import { Tag } from "../parts/tag.tsx";
import { hrefOf } from "../router.ts";

export interface Selection {
  readonly has: (rid: string) => boolean;
  readonly toggle: (rid: string) => void;
}

/** The columns of the fleet. `now`: unix seconds by the server's clock. */
export function fleetColumns(
  now: number,
  selection: Selection,
  hasTags: boolean,
): readonly Column<Gateway>[] {
  return [
    {
      key: "select",
      label: "",
      width: "34px",
      render: ({ rid, sn }) => (
        <input
          type="checkbox"
          aria-label={`Select ${sn}`}
          checked={selection.has(rid)}
          onChange={() => selection.toggle(rid)}
        />
      ),
    },
    {
      key: "sn",
      label: "Gateway",
      width: "minmax(236px, 1.5fr)",
      render: (gateway) => <Identity gateway={gateway} now={now} />,
      sortBy: ({ sn }) => serialOrder(sn),
    },
    {
      key: "product",
      label: "Product",
      width: "minmax(100px, .7fr)",
      render: ({ product }) => product,
      sortBy: ({ product }) => naturalOrder(product),
      isWide: true,
    },
    ...(hasTags ? [tagColumn] : []),
    {
      key: "seen",
      label: "Last seen",
      width: "minmax(76px, 96px)",
      render: (gateway) => <Seen gateway={gateway} now={now} />,
      sortBy: ({ seen }) => seen,
      isNumber: true,
    },
    {
      key: "engine",
      label: "Engine",
      width: "minmax(64px, 84px)",
      render: ({ engine }) => engine ?? "",
      sortBy: ({ engine }) => (engine === undefined ? null : naturalOrder(engine)),
      isWide: true,
    },
    {
      key: "apps",
      label: "Apps",
      width: "minmax(180px, 2.6fr)",
      render: ({ apps, pending }) => (
        <>
          {pending !== undefined && (
            <span class="pill busy" title={`Not taken yet: ${pending}`}>
              <span class="dot" aria-hidden="true" />
              command waits
            </span>
          )}
          {apps.toSorted(failingFirst).map((app) => (
            <AppPill key={app.name} app={app} />
          ))}
        </>
      ),
      sortBy: ({ apps }) => apps.filter(isFailing).length * 1000 + apps.length,
    },
    percentColumn("disk", "Disk", ({ disk }) => disk),
    percentColumn("memory", "Memory", ({ memory }) => memory),
    {
      key: "queue",
      label: "Queue",
      width: "minmax(58px, 76px)",
      render: ({ queue }) => (queue === undefined ? "" : count(queue)),
      sortBy: ({ queue }) => queue ?? null,
      isNumber: true,
      isWide: true,
    },
    {
      key: "traffic",
      label: "Traffic",
      width: "minmax(66px, 84px)",
      render: ({ traffic }) => (traffic === undefined ? "" : bytes(traffic)),
      sortBy: ({ traffic }) => traffic ?? null,
      isNumber: true,
      isWide: true,
    },
  ];
}

const tagColumn: Column<Gateway> = {
  key: "tags",
  label: "Tags",
  width: "minmax(90px, .8fr)",
  render: ({ tags }) => tags.map((tag) => <Tag key={tag} tag={tag} />),
  sortBy: ({ tags }) => (tags.length === 0 ? null : naturalOrder(tags.join(" "))),
  isWide: true,
};

const failingFirst = (a: Gateway["apps"][number], b: Gateway["apps"][number]) =>
  Number(isFailing(b)) - Number(isFailing(a));

function percentColumn(
  key: string,
  label: string,
  of: (gateway: Gateway) => number | undefined,
): Column<Gateway> {
  return {
    key,
    label,
    width: "minmax(68px, 92px)",
    render: (gateway) => <Percent value={of(gateway)} />,
    sortBy: (gateway) => of(gateway) ?? null,
    isNumber: true,
    isWide: true,
  };
}

function Percent({ value }: { readonly value: number | undefined }) {
  if (value === undefined) return null;
  const tone = value >= 95 ? "bad" : value >= 85 ? "warn" : "";
  return (
    <span class={`percent ${tone}`}>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="4" />
        <rect class="level" width={value} height="4" />
      </svg>
      {value} %
    </span>
  );
}

function Identity({ gateway, now }: { readonly gateway: Gateway; readonly now: number }) {
  const { rid, sn, host, status } = gateway;
  const isHere = isOnline(gateway, now);
  const word = presenceWord(gateway, now);
  return (
    <>
      <span class={`dot ${isHere ? "good" : status === "activated" ? "gone" : "idle"}`} aria-hidden="true" />
      <a class="identity" href={hrefOf(["gateways", rid])}>
        {sn}
        <span class="unseen"> {word}</span>
      </a>
      {host !== undefined && <span class="host">{host}</span>}
    </>
  );
}

function Seen({
  gateway: { seen, onlineUntil, status },
  now,
}: {
  readonly gateway: Gateway;
  readonly now: number;
}) {
  if (status !== "activated" && seen === null) return <span class="muted">{statusWord(status)}</span>;
  const isPolling = onlineUntil >= Number.MAX_SAFE_INTEGER;
  return (
    <span title={seen === null ? "It has never spoken" : time(seen)}>
      {isPolling ? "connected" : ago(seen, now)}
    </span>
  );
}
