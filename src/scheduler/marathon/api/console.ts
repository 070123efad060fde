/** The console at /ui/: one page, embedded, that reads and writes through the same REST interface as everybody. */
import type { Route } from "../../http/http-server.ts";
import { redirectResponse } from "../../http/response.ts";
import { staticPages } from "../../http/static-pages.ts";
import { consoleScript } from "./console-script.ts";
import { consoleStyle } from "./console-style.ts";

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Marathon</title>
<link rel="stylesheet" href="/ui/console.css">
</head>
<body>
<header>
  <h1>Marathon</h1>
  <p id="about" class="quiet">…</p>
  <button id="new" type="button">New app</button>
</header>
<main>
  <p id="problem" role="alert" hidden></p>
  <section id="figures" aria-label="Figures"></section>
  <section id="deploying" hidden><h2>Deployments</h2><ul id="deployments"></ul></section>
  <section>
    <h2>Apps <input id="filter" type="search" placeholder="Filter by id" aria-label="Filter by id"></h2>
    <div class="scroll"><table>
      <thead><tr><th>App</th><th>State</th><th>Instances</th><th>Health</th><th>CPUs</th><th>Memory</th><th>Ports</th><th></th></tr></thead>
      <tbody id="apps"></tbody>
    </table></div>
    <p id="none" class="quiet" hidden>No apps yet. Post one to <code>/v2/apps</code>, or press “New app”.</p>
  </section>
</main>
<dialog id="editor">
  <form method="dialog">
    <h2>New app</h2>
    <textarea id="definition" spellcheck="false" rows="16" aria-label="The app as JSON"></textarea>
    <p id="refusal" role="alert" hidden></p>
    <menu><button value="cancel">Cancel</button><button id="create" value="create" class="main">Create</button></menu>
  </form>
</dialog>
<script src="/ui/console.js" type="module"></script>
</body>
</html>
`;

export const consoleRoutes: readonly Route[] = [
  ...staticPages([
    { path: "/ui", type: "text/html; charset=utf-8", content: page },
    { path: "/ui/console.css", type: "text/css; charset=utf-8", content: consoleStyle },
    { path: "/ui/console.js", type: "text/javascript; charset=utf-8", content: consoleScript },
  ]),
  { method: "GET", path: "/favicon.ico", handle: () => redirectResponse(302, "/ui/") },
];
