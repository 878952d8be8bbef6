import { ago, time } from "../format.ts";
import { naturalOrder, serialOrder } from "../parts/natural-order.ts";
import { State, urgency } from "../parts/states.tsx";
import type { Column } from "../parts/table.tsx";
import { hrefOf } from "../router.ts";
import type { Target } from "../types.ts";

/** How a command stands at each gateway, as columns. */
export function targetColumns(now: number): readonly Column<Target>[] {
  return [
    {
      key: "sn",
      label: "Gateway",
      width: "minmax(140px, 1fr)",
      render: ({ rid, sn }) => (
        <a class="identity" href={hrefOf(["gateways", rid])}>
          {sn}
        </a>
      ),
      sortBy: ({ sn }) => serialOrder(sn),
    },
    {
      key: "product",
      label: "Product",
      width: "minmax(80px, .6fr)",
      render: ({ product }) => product,
      sortBy: ({ product }) => naturalOrder(product),
      isWide: true,
    },
    {
      key: "state",
      label: "State",
      width: "minmax(110px, 130px)",
      render: ({ state }) => <State text={state} />,
      // What wants a person comes first.
      sortBy: ({ state }) => `${urgency(state)} ${state}`,
    },
    {
      key: "at",
      label: "Since",
      width: "minmax(76px, 96px)",
      render: ({ at }) => <span title={time(at)}>{ago(at, now)}</span>,
      sortBy: ({ at }) => at,
      isNumber: true,
    },
    {
      key: "detail",
      label: "What it says",
      width: "minmax(120px, 3fr)",
      render: ({ detail }) => <span title={detail}>{detail}</span>,
      isWide: true,
    },
  ];
}
