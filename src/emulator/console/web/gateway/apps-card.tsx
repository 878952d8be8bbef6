import { useState } from "preact/hooks";
import type { Gateway } from "../../../fleet/gateway.ts";
import { verbs } from "../commands/verbs.ts";
import { useConsole } from "../context.ts";
import { Dialog } from "../parts/dialog.tsx";
import { AppState } from "../parts/states.tsx";
import { goTo, hrefOf } from "../router.ts";
import type { Command } from "../types.ts";
import type { Values } from "./gateway-page.tsx";
import { type AppReport, appReports, ownParts } from "./report-values.ts";

export interface AppsCardProps {
  readonly gateway: Gateway;
  readonly values: Values;
}

interface Asked {
  readonly app: AppReport;
  readonly verb: (typeof verbs)[number];
}

/** The gateway's apps and what can be done with them. */
export function AppsCard({ gateway, values }: AppsCardProps) {
  const { api } = useConsole();
  const [asked, setAsked] = useState<Asked>();
  const give = async ({ app, verb }: Asked) => {
    const body = { gateways: [gateway.rid], command: { [verb.verb]: [app.name] } };
    const { command } = await api.send<{ command: Command }>("POST", "commands", body);
    goTo(["commands", command.id]);
  };
  const apps = appReports(values);
  return (
    <section class="card" aria-labelledby="apps-title">
      <div class="heading">
        <h2 id="apps-title">Apps</h2>
        <a
          class="button primary"
          href={hrefOf(["deploy"], { product: gateway.product, filter: `sn:"${gateway.sn}"` })}
        >
          Deploy…
        </a>
      </div>
      {apps.length === 0 && <p class="muted">It has not reported yet.</p>}
      <ul class="apps">
        {apps.map((app) => (
          <li key={app.name}>
            <span class="grow">
              <strong>{app.name}</strong> <span class="version">{app.version}</span>
              {ownParts.has(app.name) && <span class="tag">{ownParts.get(app.name)}</span>}
              {app.detail !== "" && <span class="muted detail">{app.detail}</span>}
            </span>
            <AppState status={app.status} />
            <span class="muted uptime">{app.uptime !== "" && `up ${app.uptime}`}</span>
            {app.restarts !== undefined && app.restarts > 0 && (
              <span class="tag">{app.restarts} restarts</span>
            )}
            <span class="app-actions">
              {!ownParts.has(app.name) && <AppActions app={app} onAsk={(verb) => setAsked({ app, verb })} />}
            </span>
          </li>
        ))}
      </ul>
      {asked && (
        <Dialog
          title={`${asked.verb.label} ${asked.app.name}?`}
          action={asked.verb.label}
          isDangerous={asked.verb.isDangerous ?? false}
          onConfirm={() => give(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>
            {explanations[asked.verb.verb]} The gateway is told with its next check-in
            {gateway.interval !== undefined && `, about every ${gateway.interval} s`}.
          </p>
        </Dialog>
      )}
    </section>
  );
}

const explanations: Readonly<Record<string, string>> = {
  restart: "The app is stopped and started again.",
  stop: "The app is stopped, and stays so until it is started.",
  start: "The app is started.",
  rollback: "The version before this one is put back; this one is removed from the gateway.",
  remove: "The app and all its versions are removed from the gateway.",
};

function AppActions({
  app,
  onAsk,
}: {
  readonly app: AppReport;
  readonly onAsk: (verb: (typeof verbs)[number]) => void;
}) {
  const isUp = !["STOPPED", "EXITED", "FATAL"].includes(app.status);
  const fitting = verbs.filter(({ verb }) => verb !== (isUp ? "start" : "stop"));
  return (
    <>
      {fitting.map((verb) => (
        <button
          type="button"
          key={verb.verb}
          class="quiet"
          aria-label={`${verb.label} ${app.name}`}
          onClick={() => onAsk(verb)}
        >
          {verb.label}
        </button>
      ))}
    </>
  );
}
