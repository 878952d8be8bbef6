import { useState } from "preact/hooks";
import type { Gateway } from "../../../fleet/gateway.ts";
import { problemOf } from "../api.ts";
import { useConsole } from "../context.ts";
import type { Values } from "./gateway-page.tsx";

export interface IntervalCardProps {
  readonly gateway: Gateway;
  readonly values: Values;
  readonly onChange: () => void;
}

/** How often the gateway checks in. */
export function IntervalCard({ gateway, values, onChange }: IntervalCardProps) {
  const { api, notify } = useConsole();
  const [seconds, setSeconds] = useState("");
  const waiting = values.update_interval?.value ?? "";
  const set = async () => {
    try {
      const path = `gateways/${encodeURIComponent(gateway.rid)}/update-interval`;
      await api.send("PUT", path, { seconds: Number(seconds) });
      notify(`${gateway.sn} is told to check in every ${seconds} s`);
      setSeconds("");
      onChange();
    } catch (error) {
      notify(problemOf(error), "bad");
    }
  };
  return (
    <section class="card" aria-labelledby="interval-title">
      <h2 id="interval-title">Check-in interval</h2>
      <form
        class="inline"
        onSubmit={(event) => {
          event.preventDefault();
          void set();
        }}
      >
        <label for="interval">Seconds</label>
        <input
          id="interval"
          type="number"
          min={1}
          max={2_147_483}
          required
          value={seconds}
          placeholder={gateway.interval === undefined ? "" : String(gateway.interval)}
          onInput={({ currentTarget }) => setSeconds(currentTarget.value)}
        />
        <button type="submit">Set</button>
      </form>
      {waiting !== "" && <p class="muted">{waiting} s waits for the gateway to take it.</p>}
    </section>
  );
}
