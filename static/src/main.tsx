import { render } from "preact";

import { App } from "./app";
import { socketUrl } from "./connection";
import { Playground } from "./playground";
import "./styles/index.css";

const playground = new Playground(socketUrl(document.baseURI));
playground.connect();

// A page in the back/forward cache must not hold a runtime; it connects again when it is shown again.
window.addEventListener("pagehide", playground.close);
window.addEventListener("pageshow", playground.connect);
window.addEventListener("online", playground.connect);
window.addEventListener("offline", playground.probe);

const root = document.getElementById("app");
if (!root) throw new Error("the page has no #app");
render(<App playground={playground} />, root);
