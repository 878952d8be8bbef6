import { type Gateway, type GatewayApp, isFailing, isOnline } from "../../../fleet/gateway.ts";

/** A coloured mark is never alone: its word stands beside it, for eyes that do not tell colours. */

const statusWords: Readonly<Record<string, string>> = {
  notactivated: "not activated",
  expired: "enabling expired",
  "": "not enabled",
};

/** How far a serial is provisioned, for a person. */
export function statusWord(status: string): string {
  return statusWords[status] ?? status;
}

/** `online`, `offline`, or what keeps it from being either. */
export function presenceWord(gateway: Gateway, now: number): string {
  if (isOnline(gateway, now)) return "online";
  return gateway.status === "activated" ? "offline" : statusWord(gateway.status);
}

const appTones: Readonly<Record<string, string>> = {
  RUNNING: "good",
  STARTING: "busy",
  STOPPED: "idle",
  EXITED: "idle",
};

export function AppPill({ app }: { readonly app: GatewayApp }) {
  const tone = appTones[app.status] ?? "bad";
  return (
    <span class={`pill ${tone}`} title={`${app.name} ${app.version} is ${app.status}`}>
      <span class="dot" aria-hidden="true" />
      {app.name} <span class="version">{app.version}</span>
      {isFailing(app) ? <strong> {app.status}</strong> : <span class="unseen"> {app.status}</span>}
    </span>
  );
}

export function AppState({ status }: { readonly status: string }) {
  return <State text={status} tone={appTones[status] ?? "bad"} />;
}

const stateTones: Readonly<Record<string, string>> = {
  succeeded: "good",
  done: "good",
  installed: "good",
  removed: "good",
  started: "good",
  stopped: "good",
  restarted: "good",
  configured: "good",
  logs: "good",
  skipped: "idle",
  blocked: "warn",
  replaced: "warn",
  cancelled: "warn",
  interrupted: "bad",
  failed: "bad",
  "rolled-back": "bad",
  silent: "bad",
  undone: "good",
  "undo-failed": "bad",
  "undo-blocked": "warn",
  "undo-waiting": "busy",
  "undo-taken": "busy",
  aborted: "bad",
  paused: "warn",
  waiting: "busy",
  taken: "busy",
  running: "busy",
  soaking: "busy",
  "rolling-back": "busy",
};

const tonesByUrgency = ["bad", "warn", "busy", "idle", "good"];

/** 0 for the states that want a person most, up to 4. */
export function urgency(state: string): number {
  return tonesByUrgency.indexOf(stateTones[state] ?? "idle");
}

/** The state of a command, a job or a roll-out. */
export function State({
  text,
  tone = stateTones[text] ?? "idle",
}: {
  readonly text: string;
  readonly tone?: string;
}) {
  return (
    <span class={`state ${tone}`}>
      <span class="dot" aria-hidden="true" />
      {text}
    </span>
  );
}

/** Shares of a whole as one bar, with the numbers beside it. */
export function Counts({ counts }: { readonly counts: Readonly<Record<string, number | undefined>> }) {
  const parts = Object.entries(counts).filter((part): part is [string, number] => (part[1] ?? 0) > 0);
  const total = parts.reduce((sum, [, part]) => sum + part, 0);
  const text = parts.map(([state, part]) => `${part} ${state}`).join(", ");
  return (
    <div class="counts">
      <svg class="counts-bar" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label={text}>
        {parts.map(([state, part], index) => (
          <rect
            key={state}
            class={`fill ${stateTones[state] ?? "idle"}`}
            x={(parts.slice(0, index).reduce((sum, [, before]) => sum + before, 0) / total) * 100}
            width={(part / total) * 100}
            height="4"
          />
        ))}
      </svg>
      <span class="counts-text" aria-hidden="true">
        {parts.map(([state, part]) => (
          <span key={state} class={`state ${stateTones[state] ?? "idle"}`}>
            <span class="dot" />
            {part} {state}
          </span>
        ))}
      </span>
    </div>
  );
}
