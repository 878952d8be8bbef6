import { useState } from "preact/hooks";
import type { Gateway } from "../../../fleet/gateway.ts";
import { useConsole } from "../context.ts";
import { plural } from "../format.ts";
import { Dialog } from "../parts/dialog.tsx";
import type { Command } from "../types.ts";
import { appsOf, verbs } from "./verbs.ts";

export interface AppCommandDialogProps {
  readonly gateways: readonly Gateway[];
  readonly onGiven: (id: string) => void;
  readonly onClose: () => void;
}

/** Restart, stop, start, roll back or remove an app on several gateways. */
export function AppCommandDialog({ gateways, onGiven, onClose }: AppCommandDialogProps) {
  const { api } = useConsole();
  const apps = appsOf(gateways);
  const [verb, setVerb] = useState("restart");
  const [app, setApp] = useState(apps[0] ?? "");
  const hosts = gateways.filter((gateway) => gateway.apps.some(({ name }) => name === app));
  const chosen = verbs.find((one) => one.verb === verb);
  const give = async () => {
    const body = { gateways: hosts.map(({ rid }) => rid), command: { [verb]: [app] } };
    onGiven((await api.send<{ command: Command }>("POST", "commands", body)).command.id);
  };
  return (
    <Dialog
      title="Command to apps"
      action={`${chosen?.label} ${app} on ${plural(hosts.length, "gateway")}`}
      isDangerous={chosen?.isDangerous ?? false}
      onConfirm={give}
      onClose={onClose}
    >
      {apps.length === 0 && <p>None of these gateways hosts an app.</p>}
      <label for="command-verb">Do</label>
      <select id="command-verb" value={verb} onChange={({ currentTarget }) => setVerb(currentTarget.value)}>
        {verbs.map((one) => (
          <option key={one.verb} value={one.verb}>
            {one.label}
          </option>
        ))}
      </select>
      <label for="command-app">App</label>
      <select id="command-app" value={app} onChange={({ currentTarget }) => setApp(currentTarget.value)}>
        {apps.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </Dialog>
  );
}
