/** The agent's console: its tasks, and their sandboxes file by file. `/#<framework id>/<task id>` opens one. */
import { staticPages } from "../../http/static-pages.ts";
import { consolePage } from "../daemon/console-kit.ts";

const html = consolePage({
  title: "Mesos agent",
  body: `<header><h1 id="name">Agent</h1><span id="who" class="dim"></span></header>
<main><div id="note"></div><div id="tiles" class="tiles"></div><div id="sandbox"></div><div id="tasks"></div><div id="ended"></div></main>`,
  script: `
let path,file,offset=0;
const pre=h("pre",{class:"mono",tabindex:"0"});
const q=encodeURIComponent;
const wanted=()=>location.hash.slice(1).split("/").map(decodeURIComponent);
const all=s=>s.frameworks.flatMap(f=>f.executors.map(e=>({f,e}))).concat(s.completed_frameworks.flatMap(f=>f.completed_executors.map(e=>({f,e}))));
const open=p=>{path=p;file=undefined;browse()};
const tail=async name=>{file=name;offset=0;pre.textContent="";await follow();};
const follow=async()=>{if(!file)return;const end=(await json("/files/read?path="+q(file)+"&offset=-1")).offset;if(offset===0&&end>65536)offset=end-65536;while(offset<end){const part=await json("/files/read?path="+q(file)+"&offset="+offset);const bytes=new TextEncoder().encode(part.data).length;if(!bytes)break;const low=pre.scrollTop+pre.clientHeight>=pre.scrollHeight-8;pre.append(part.data);offset+=bytes;if(low)pre.scrollTop=pre.scrollHeight}};
const browse=async()=>{if(!path){show("sandbox");return}
 const list=await json("/files/browse?path="+q(path));
 const name=e=>e.path.split("/").pop();
 show("sandbox",section("Sandbox",path,table(["Name","Mode","#Size","Changed",""],list.map(e=>[e.mode[0]==="d"?h("a",{href:"#",onclick:v=>{v.preventDefault();open(e.path)}},name(e)+"/"):h("a",{href:"#",onclick:v=>{v.preventDefault();tail(e.path).then(browse)}},name(e)),h("span",{class:"mono dim"},e.mode),num(e.size),ago(e.mtime),e.mode[0]==="d"?"":h("a",{href:"/files/download?path="+q(e.path)},"download")]),"Empty."),h("button",{onclick:()=>{location.hash="";path=file=undefined;show("sandbox")}},"close")),file?section(file.split("/").pop(),"",pre):"");};
const row=({f,e})=>{const t=(e.tasks.concat(e.completed_tasks))[0];return[h("a",{href:"#"+q(f.id)+"/"+q(e.id)},h("span",{class:"mono"},e.id)),t?t.name:"",t?stateCell(t.state):"",num(e.resources.cpus),size(e.resources.mem),f.name||short(f.id),t?ago((t.statuses.at(-1)||{}).timestamp):""]};
const heads=["Task","Name","State","#CPUs","#Memory","Framework","For"];
const draw=async()=>{const s=await json("/state");
 show("name",s.hostname);show("who",(s.id||"not registered")+(s.master_hostname?" · master "+s.master_hostname:"")+" · version "+s.version);
 const list=all(s),live=list.filter(x=>x.e.tasks.length),over=list.filter(x=>!x.e.tasks.length).reverse();
 const used=k=>live.reduce((n,x)=>n+(x.e.resources[k]||0),0);
 const use=(label,k,text)=>tile(label,text(used(k))+" / "+text(s.resources[k]||0),s.resources[k]?used(k)/s.resources[k]:0);
 show("tiles",tile("Tasks",num(live.length)),use("CPUs","cpus",num),use("Memory","mem",size),use("Disk","disk",size));
 show("tasks",section("Tasks",num(live.length),table(heads,live.map(row),"Nothing runs here.")));
 show("ended",section("Ended tasks",num(over.length),table(heads,over.slice(0,200).map(row),"None.")));
 const[f,t]=wanted();if(!path&&f&&t){const x=list.find(x=>x.f.id===f&&x.e.id===t);if(x)open(x.e.directory);else throw new Error("No task "+t+" is known here any more.")}
 await follow()};
addEventListener("hashchange",()=>{path=file=undefined;if(location.hash.length>1)draw();else show("sandbox")});
every(3000,draw);`,
});

export const agentPages = staticPages([{ path: "/", type: "text/html; charset=utf-8", content: html }]);
