import { useEffect, useMemo, useState } from "preact/hooks";
import { Api } from "./api.ts";
import { CommandPage } from "./commands/command-page.tsx";
import { CommandsPage } from "./commands/commands-page.tsx";
import { DeployPage } from "./commands/deploy-page.tsx";
import { ContentPage } from "./content/content-page.tsx";
import { ConsoleContext } from "./context.ts";
import { FleetPage } from "./fleet/fleet-page.tsx";
import { GatewayPage } from "./gateway/gateway-page.tsx";
import { Live } from "./live.ts";
import { type Notice, Notices } from "./parts/notices.tsx";
import { RolloutPage } from "./rollouts/rollout-page.tsx";
import { RolloutsPage } from "./rollouts/rollouts-page.tsx";
import { type Place, usePlace } from "./router.ts";
import { Shell } from "./shell.tsx";
import { SignIn } from "./sign-in.tsx";

type Access = "asking" | "out" | "in";

export function App() {
  const api = useMemo(() => new Api(), []);
  const [access, setAccess] = useState<Access>("asking");
  const ask = () =>
    void api.resume().then(
      (isIn) => setAccess(isIn ? "in" : "out"),
      () => setAccess("out"),
    );
  // Once.
  useEffect(() => {
    api.onSignedOut = () => setAccess("out");
    ask();
  }, [api]);
  if (access === "asking") return null;
  if (access === "out") return <SignIn api={api} onDone={() => setAccess("in")} />;
  return <SignedIn api={api} onRefused={ask} />;
}

function SignedIn({ api, onRefused }: { readonly api: Api; readonly onRefused: () => void }) {
  const place = usePlace();
  const live = useMemo(() => new Live(), []);
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  // For as long as somebody is signed in.
  useEffect(() => {
    live.onRefused = onRefused;
    live.start();
    return () => live.stop();
  }, [live]);
  const context = useMemo(
    () => ({
      api,
      live,
      notify: (text: string, kind: Notice["kind"] = "good") => {
        const notice = { id: crypto.getRandomValues(new Uint32Array(1))[0] ?? 0, text, kind };
        setNotices((shown) => [...shown, notice]);
        setTimeout(() => setNotices((shown) => shown.filter((one) => one !== notice)), 6000);
      },
    }),
    [api, live],
  );
  return (
    <ConsoleContext.Provider value={context}>
      <Shell place={place}>
        <Page place={place} />
      </Shell>
      <Notices notices={notices} />
    </ConsoleContext.Provider>
  );
}

function Page({ place: { parts, query } }: { readonly place: Place }) {
  const [page = "", id] = parts;
  switch (page) {
    case "":
      return <FleetPage query={query} />;
    case "gateways":
      return <GatewayPage key={id} rid={id ?? ""} tab={parts[2] ?? "overview"} />;
    case "content":
      return <ContentPage product={id} />;
    case "deploy":
      return <DeployPage query={query} />;
    case "commands":
      return id === undefined ? <CommandsPage /> : <CommandPage key={id} id={id} />;
    case "rollouts":
      return id === undefined ? <RolloutsPage query={query} /> : <RolloutPage key={id} id={id} />;
    default:
      return (
        <main class="page" id="main">
          <h1>There is no such page</h1>
          <p>
            <a href="#/">To the fleet</a>
          </p>
        </main>
      );
  }
}
