import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { problemOf } from "./api.ts";
import { useConsole, useFleet } from "./context.ts";
import type { Place } from "./router.ts";

const pages = [
  { name: "", label: "Fleet", owns: ["", "gateways"] },
  { name: "content", label: "Content", owns: ["content"] },
  { name: "commands", label: "Commands", owns: ["commands", "deploy"] },
  { name: "rollouts", label: "Roll-outs", owns: ["rollouts"] },
];

/** The frame around every page. */
export function Shell({ place, children }: { readonly place: Place; readonly children: ComponentChildren }) {
  const { api, notify } = useConsole();
  const [page = ""] = place.parts;
  const where = place.parts.slice(0, 2).join("/");
  useFocusOnMove(where);
  const signOut = () => void api.signOut().catch((error: unknown) => notify(problemOf(error), "bad"));
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={skipToMain}>
        Skip to the content
      </button>
      <header class="bar">
        <a class="brand" href="#/" aria-label="Gateway Engine, fleet">
          <Mark /> <span>Gateway Engine</span>
        </a>
        <nav aria-label="Pages">
          {pages.map(({ name, label, owns }) => (
            <a key={name} href={`#/${name}`} aria-current={owns.includes(page) ? "page" : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <ConnectionState />
        <button type="button" class="quiet" onClick={signOut}>
          Sign out
        </button>
      </header>
      {children}
    </div>
  );
}

/** No link: the address says which page it is. */
function skipToMain(): void {
  document.querySelector<HTMLElement>("main :is(a, button, input, select, [tabindex])")?.focus();
}

function ConnectionState() {
  const { connection } = useFleet();
  const text = { connecting: "Connecting…", live: "Live", lost: "Connection lost" }[connection];
  return (
    <span class={`connection ${connection}`} role="status">
      <span class="dot" aria-hidden="true" /> {text}
    </span>
  );
}

/** A new page is read out from its heading on, and names the window. */
function useFocusOnMove(where: string): void {
  const isFirst = useRef(true);
  // Whenever the place changes.
  useEffect(() => {
    const heading = document.querySelector<HTMLElement>("main h1");
    document.title = heading ? `${heading.textContent} · Gateway Engine` : "Gateway Engine";
    if (heading && !isFirst.current) {
      heading.tabIndex = -1;
      heading.focus();
    }
    isFirst.current = false;
  }, [where]);
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" class="mark-ground" />
      <path d="M16 5v6M7 13h18v12H7z" class="mark-line" />
      <path d="M11 9a7 7 0 0 1 10 0" class="mark-line thin" />
      <circle cx="12" cy="19" r="1.8" class="mark-light" />
      <path d="M17 19h4" class="mark-line" />
    </svg>
  );
}
