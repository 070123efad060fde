/** What the console does: reads the leader's state every other second and on events, and writes by the REST interface. */
export const consoleScript = `
const $ = (id) => document.getElementById(id);
const el = (tag, fields = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), fields);
  node.append(...children);
  return node;
};
const open = new Set();
let apps = [];
let queue = new Map();

async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(refusal(text) || answer.status + " " + answer.statusText);
  return text === "" ? undefined : JSON.parse(text);
}

function refusal(text) {
  try {
    const { message, details } = JSON.parse(text);
    if (!Array.isArray(details)) return [message, details].filter(Boolean).join("\\n");
    return [message, ...details.map(({ path, errors }) => path + ": " + errors.join("; "))].join("\\n");
  } catch {
    return text;
  }
}

function show(id, error) {
  $(id).hidden = error === undefined;
  $(id).textContent = error === undefined ? "" : error.message;
}

async function act(work) {
  try {
    await work();
    show("problem");
  } catch (error) {
    show("problem", error);
  }
  await refresh();
}

let refreshing = false;
async function refresh() {
  if (refreshing) return;
  refreshing = true;
  try {
    const [list, deployments, info, waiting] = await Promise.all([
      call("GET", "/v2/apps?embed=apps.tasks&embed=apps.lastTaskFailure"),
      call("GET", "/v2/deployments"),
      call("GET", "/v2/info"),
      call("GET", "/v2/queue"),
    ]);
    apps = list.apps;
    queue = new Map(waiting.queue.map((entry) => [entry.app.id, entry]));
    $("about").textContent = "leader " + info.leader + " · framework " + (info.frameworkId ?? "not registered yet");
    drawFigures(deployments);
    drawDeployments(deployments);
    drawApps();
    if (!$("problem").dataset.keep) show("problem");
  } catch (error) {
    show("problem", error);
  } finally {
    refreshing = false;
  }
}

function drawFigures(deployments) {
  const sum = (field) => apps.reduce((total, app) => total + app[field], 0);
  const wanted = sum("instances");
  const figures = { apps: apps.length, running: sum("tasksRunning") + " / " + wanted, staged: sum("tasksStaged"),
    unhealthy: sum("tasksUnhealthy"), deployments: deployments.length };
  $("figures").replaceChildren(...Object.entries(figures).map(([name, value]) =>
    el("div", { className: "figure" }, el("b", { textContent: value }), el("span", { className: "quiet", textContent: name }))));
}

function drawDeployments(deployments) {
  $("deploying").hidden = deployments.length === 0;
  $("deployments").replaceChildren(...deployments.map((one) => el("li", {},
    el("span", { textContent: one.affectedApps.join(", ") + " — " +
      one.currentActions.map(({ action }) => action.replace("Application", "")).join(", ") }),
    el("span", { className: "quiet", textContent: "step " + one.currentStep + " of " + one.totalSteps }),
    el("button", { textContent: "Roll back", onclick: () => act(() => call("DELETE", "/v2/deployments/" + one.id)) }))));
}

/** Why instances are not launched, in words: what the agents lack, or how long the backoff lasts. */
const lacks = { InsufficientCpus: "not enough CPUs", InsufficientMemory: "not enough memory",
  InsufficientDisk: "not enough disk", InsufficientGpus: "not enough GPUs", InsufficientPorts: "no such ports",
  UnfulfilledConstraint: "constraints", UnfulfilledRole: "no resources of its role", SpreadingOut: "spreading" };
function waitsFor(app) {
  const entry = queue.get(app.id);
  if (entry === undefined) return undefined;
  if (!entry.delay.overdue) return "next try in " + entry.delay.timeLeftSeconds + " s";
  const reasons = entry.processedOffersSummary.rejectSummaryLastOffers.map(({ reason }) => lacks[reason] ?? reason);
  return reasons.length === 0 ? "waiting for offers" : "no agent fits: " + reasons.join(", ");
}

function stateOf(app) {
  if (app.deployments.length > 0) return ["wait", "deploying"];
  if (app.instances === 0) return ["", "suspended"];
  if (app.tasksUnhealthy > 0) return ["bad", "unhealthy"];
  if (app.tasksRunning < app.instances) return app.lastTaskFailure ? ["bad", "failing"] : ["wait", "waiting"];
  return ["good", "running"];
}

function drawApps() {
  const wanted = $("filter").value.toLowerCase();
  const shown = apps.filter(({ id }) => id.includes(wanted)).sort((a, b) => (a.id < b.id ? -1 : 1));
  $("none").hidden = apps.length > 0;
  if (document.activeElement?.closest("form.scale")) return;
  $("apps").replaceChildren(...shown.flatMap((app) => [rowOf(app), ...(open.has(app.id) ? [detailsOf(app)] : [])]));
}

function rowOf(app) {
  const [colour, word] = stateOf(app);
  const count = el("input", { type: "number", min: 0, value: app.instances, ariaLabel: "Instances of " + app.id });
  const scale = el("form", { className: "scale", onclick: (event) => event.stopPropagation(),
    onsubmit: (event) => {
      event.preventDefault();
      count.blur();
      act(() => call("PATCH", "/v2/apps" + app.id, { instances: Number(count.value) }));
    } }, count, el("button", { textContent: "Scale" }),
    el("button", { type: "button", textContent: "Restart", onclick: () => act(() => call("POST", "/v2/apps" + app.id + "/restart")) }),
    el("button", { type: "button", className: "danger", textContent: "Delete",
      onclick: () => confirm("Delete " + app.id + "?") && act(() => call("DELETE", "/v2/apps" + app.id)) }));
  const toggle = () => { open.has(app.id) ? open.delete(app.id) : open.add(app.id); drawApps(); };
  return el("tr", { className: "app", onclick: toggle },
    el("td", {}, el("code", { textContent: app.id })),
    el("td", {}, el("span", { className: "state " + colour, textContent: word }),
      waitsFor(app) === undefined ? "" : el("div", { className: "quiet small", textContent: waitsFor(app) })),
    el("td", { textContent: app.tasksRunning + " of " + app.instances }),
    el("td", {}, health(app)),
    el("td", { textContent: app.cpus }), el("td", { textContent: app.mem + " MB" }),
    el("td", { textContent: app.ports.join(", ") }), el("td", {}, scale));
}

function health(app) {
  const share = (count) => (100 * count) / Math.max(app.instances, app.tasksRunning, 1) + "%";
  const part = (name, count) => { const i = el("i", { className: name }); i.style.width = share(count); return i; };
  const parts = app.healthChecks.length === 0
    ? [part("plain", app.tasksRunning)]
    : [part("good", app.tasksHealthy), part("bad", app.tasksUnhealthy)];
  return el("div", { className: "bar", title: app.healthChecks.length === 0 ? "no health checks" :
    app.tasksHealthy + " healthy, " + app.tasksUnhealthy + " unhealthy" }, ...parts);
}

function detailsOf(app) {
  const rows = app.tasks.map((task) => el("tr", {},
    el("td", {}, el("code", { textContent: task.id })),
    el("td", { textContent: task.state.replace("TASK_", "").toLowerCase() }),
    el("td", {}, ...task.ports.flatMap((port) => [el("a", { href: "http://" + task.host + ":" + port,
      textContent: task.host + ":" + port, target: "_blank", rel: "noreferrer" }), " "]),
      task.ports.length === 0 ? task.host : ""),
    el("td", { textContent: task.startedAt ? new Date(task.startedAt).toLocaleString() : "" }),
    el("td", {}, el("button", { className: "danger", textContent: "Kill",
      onclick: () => act(() => call("DELETE", "/v2/apps" + app.id + "/tasks/" + task.id)) }))));
  const failure = app.lastTaskFailure === undefined ? [] : [el("p", { className: "quiet", textContent:
    "Last failure: " + app.lastTaskFailure.state + " on " + app.lastTaskFailure.host + ", " + app.lastTaskFailure.message })];
  const table = el("table", {}, el("tbody", {}, ...rows));
  return el("tr", {}, el("td", { className: "tasks", colSpan: 8 }, ...failure,
    rows.length === 0 ? el("p", { className: "quiet", textContent: "No instances." }) : table));
}

$("filter").addEventListener("input", drawApps);
$("new").addEventListener("click", () => {
  $("definition").value = JSON.stringify({ id: "/hello", cmd: "sleep 1000", cpus: 0.1, mem: 32, instances: 1 }, null, 2);
  show("refusal");
  $("editor").showModal();
});
$("create").addEventListener("click", async (event) => {
  event.preventDefault();
  try {
    await call("POST", "/v2/apps", $("definition").value);
    $("editor").close();
    await refresh();
  } catch (error) {
    show("refusal", error);
  }
});
setInterval(refresh, 2000);
refresh();
`;
