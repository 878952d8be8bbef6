import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/table.css";
import "./styles/parts.css";
import { App } from "./app.tsx";

const root = document.getElementById("console");
if (root) render(<App />, root);
