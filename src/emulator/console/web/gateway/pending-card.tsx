import type { Gateway } from "../../../fleet/gateway.ts";
import { problemOf } from "../api.ts";
import { describeCommand } from "../commands/verbs.ts";
import { useConsole } from "../context.ts";
import { hrefOf } from "../router.ts";
import type { Values } from "./gateway-page.tsx";
import { reportOf } from "./report-values.ts";

export interface PendingCardProps {
  readonly gateway: Gateway;
  readonly values: Values;
  readonly onChange: () => void;
}

/** The command that the gateway has not taken yet. */
export function PendingCard({ gateway, values, onChange }: PendingCardProps) {
  const { api, notify } = useConsole();
  const text = values.engine_fetch?.value ?? "";
  if (text === "") return null;
  const parsed = reportOf(values, "engine_fetch");
  const { id, ...command } = (typeof parsed === "object" && parsed !== null ? parsed : {}) as Record<
    string,
    unknown
  >;
  const withdraw = async () => {
    try {
      await api.send("DELETE", `gateways/${encodeURIComponent(gateway.rid)}/command`);
      notify("The command is withdrawn");
    } catch (error) {
      notify(problemOf(error), "bad");
    }
    onChange();
  };
  const words = describeCommand(command) || text;
  return (
    <section class="card waiting" aria-labelledby="pending-title">
      <h2 id="pending-title">Waits to be taken</h2>
      <p>
        {String(id).startsWith("console-") ? <a href={hrefOf(["commands", String(id)])}>{words}</a> : words}
      </p>
      <button type="button" onClick={() => void withdraw()}>
        Withdraw
      </button>
    </section>
  );
}
