/** The master's console: the cluster at a glance, its frameworks, agents and tasks. */
import type { Route } from "../../http/http-server.ts";
import { redirectResponse } from "../../http/response.ts";
import { staticPages } from "../../http/static-pages.ts";
import { consolePage } from "../daemon/console-kit.ts";
import { leaderUrl } from "./leader-guard.ts";
import type { MasterDaemon } from "./master-daemon.ts";

const html = consolePage({
  title: "Mesos",
  body: `<header><h1 id="name">Mesos</h1><span id="who" class="dim"></span></header>
<main><div id="note"></div><div id="tiles" class="tiles"></div><div id="frameworks"></div><div id="agents"></div><div id="tasks"></div><div id="ended"></div></main>`,
  script: `
const most=200;let words="";
const filter=h("input",{type:"search",placeholder:"filter tasks","aria-label":"filter tasks",oninput:e=>{words=e.target.value.toLowerCase();if(last)draw(last)}});
let last;
const sandbox=(task,slaves)=>{const s=slaves.get(task.slave_id);return s?h("a",{href:"http://"+s.hostname+":"+s.port+"/#"+encodeURIComponent(task.framework_id)+"/"+encodeURIComponent(task.id)},"sandbox"):""};
const rows=(tasks,slaves)=>tasks.slice(0,most).map(t=>[h("span",{class:"mono"},t.id),t.name,stateCell(t.state),slaves.get(t.slave_id)?.hostname||h("span",{class:"dim"},short(t.slave_id)),num(t.resources.cpus),size(t.resources.mem),ago((t.statuses.at(-1)||{}).timestamp),sandbox(t,slaves)]);
const heads=["Task","Name","State","Agent","#CPUs","#Memory","For",""];
const draw=s=>{
 const slaves=new Map(s.slaves.map(a=>[a.id,a]));
 const sum=(what,key)=>s.slaves.reduce((n,a)=>n+(a[what][key]||0),0);
 const active=s.frameworks.flatMap(f=>f.tasks.concat(f.unreachable_tasks));
 const ended=s.frameworks.concat(s.completed_frameworks).flatMap(f=>f.completed_tasks).reverse();
 const fits=t=>!words||(t.id+" "+t.name+" "+t.state+" "+(slaves.get(t.slave_id)?.hostname||"")).toLowerCase().includes(words);
 const found=active.filter(fits);
 document.title=(s.cluster?s.cluster+" · ":"")+"Mesos";
 show("name",s.cluster||"Mesos");
 show("who","led by "+s.hostname+" since "+ago(s.elected_time)+" · version "+s.version);
 const use=(label,key,text)=>{const all=sum("resources",key),used=sum("used_resources",key);return tile(label,text(used)+" / "+text(all),all?used/all:0)};
 show("tiles",tile("Agents",num(s.activated_slaves)+(s.unreachable_slaves?" · "+s.unreachable_slaves+" lost":"")),tile("Tasks running",num(active.filter(t=>t.state==="TASK_RUNNING").length)),use("CPUs","cpus",num),use("Memory","mem",size),use("Disk","disk",size));
 show("frameworks",section("Frameworks",num(s.frameworks.length),table(["Name","Id","Role","#Tasks","#CPUs","#Memory","State"],s.frameworks.map(f=>[f.webui_url&&/^https?:/.test(f.webui_url)?h("a",{href:f.webui_url},f.name):f.name,h("span",{class:"mono dim"},short(f.id)),f.role||(f.roles||[]).join(", "),num(f.tasks.length),num(f.used_resources.cpus),size(f.used_resources.mem),h("span",{class:"state "+(f.active?"good":"bad")},f.active?"connected":"away")]),"No framework has subscribed yet.")));
 show("agents",section("Agents",num(s.slaves.length),table(["Host","Id","#CPUs","#Memory","#Disk","Attributes","State"],s.slaves.map(a=>[h("a",{href:"http://"+a.hostname+":"+a.port+"/"},a.hostname),h("span",{class:"mono dim"},short(a.id)),num(a.used_resources.cpus)+" / "+num(a.resources.cpus),size(a.used_resources.mem)+" / "+size(a.resources.mem),size(a.resources.disk),Object.entries(a.attributes).map(([k,v])=>k+":"+v).join(" "),h("span",{class:"state "+(a.active?"good":"bad")},a.active?"active":"away")]),"No agent has registered yet.")));
 show("tasks",section("Tasks",words?num(found.length)+" of "+num(active.length):num(active.length),table(heads,rows(found,slaves),words?"No task fits the filter.":"Nothing runs yet."),filter));
 if(document.activeElement!==filter&&words)filter.focus();
 show("ended",section("Ended tasks",num(ended.length),table(heads,rows(ended.filter(fits),slaves),"None.")));
};
every(3000,async()=>{last=await json("/state");draw(last)});`,
});

/** A master that does not lead sends the browser to the one that does. */
export function masterPages(daemon: MasterDaemon): readonly Route[] {
  return staticPages([{ path: "/", type: "text/html; charset=utf-8", content: html }]).map((route) => ({
    ...route,
    handle: (request) => {
      const url =
        daemon.core === undefined && daemon.leader?.id !== daemon.card.id ? leaderUrl(daemon) : undefined;
      return url === undefined ? route.handle(request) : redirectResponse(307, `${url}/`);
    },
  }));
}
