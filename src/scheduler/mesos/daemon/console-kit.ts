/**
 * The consoles' common look and their few lines of script. Pages are one string each: no file beside the bundle, nothing
 * from elsewhere. Text from the cluster only ever becomes text nodes, never markup.
 */

const style = `
:root{color-scheme:light dark;--ink:#1c2330;--dim:#667085;--line:#e3e7ee;--bg:#f6f7f9;--card:#fff;--accent:#2f6fed;--good:#12805c;--bad:#c4320a;--warn:#b54708}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--dim:#98a2b3;--line:#2a3140;--bg:#11151c;--card:#181e28;--accent:#7aa5ff;--good:#4cc38a;--bad:#ff8a65;--warn:#f0b35a}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header{display:flex;gap:16px;align-items:baseline;flex-wrap:wrap;padding:18px 28px 12px}
h1{font-size:19px;margin:0}h2{font-size:14px;margin:0;padding:12px 16px;border-bottom:1px solid var(--line);display:flex;gap:10px;align-items:center}
h2 .count{color:var(--dim);font-weight:400}h2 input{margin-left:auto}
main{padding:8px 28px 40px;display:grid;gap:18px}
.dim{color:var(--dim)}.mono{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:12.5px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:14px}
.tile,section{background:var(--card);border:1px solid var(--line);border-radius:10px}
.tile{padding:13px 16px}.tile b{display:block;font-size:20px;font-weight:600}
.bar{height:5px;border-radius:3px;background:var(--line);margin-top:8px;overflow:hidden}.bar i{display:block;height:100%;background:var(--accent)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:7px 16px;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:500;color:var(--dim);font-size:12.5px}tr:last-child td{border-bottom:0}
td.num,th.num{text-align:right;font-variant-numeric:tabular-nums}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
.state{font-size:12px;font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.empty{padding:16px;color:var(--dim)}.note{padding:10px 16px;border-radius:10px;background:var(--card);border:1px solid var(--bad);color:var(--bad)}
#note:empty{display:none}input,button{font:inherit;font-weight:400;padding:4px 9px;border:1px solid var(--line);border-radius:7px;background:var(--bg);color:var(--ink)}
pre{margin:0;padding:14px 16px;overflow:auto;max-height:65vh;white-space:pre-wrap;overflow-wrap:anywhere}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}`;

const script = `
"use strict";
const h=(tag,props,...kids)=>{const e=document.createElement(tag);for(const[k,v]of Object.entries(props||{}))if(v!==undefined){if(k.startsWith("on"))e.addEventListener(k.slice(2),v);else e.setAttribute(k,v)}for(const kid of kids.flat())if(kid!==undefined&&kid!==null)e.append(kid);return e};
const show=(id,...kids)=>document.getElementById(id).replaceChildren(...kids.flat());
const json=async url=>{const r=await fetch(url,{cache:"no-store"});if(!r.ok)throw new Error(url+": "+r.status+" "+await r.text());return r.json()};
const num=n=>Number(n||0).toLocaleString(undefined,{maximumFractionDigits:2});
const size=mb=>mb>=1048576?num(mb/1048576)+" TB":mb>=10240?num(Math.round(mb/1024))+" GB":mb>=1024?num(mb/1024)+" GB":num(mb)+" MB";
const ago=s=>{if(!s)return"";const d=Math.max(0,Date.now()/1000-s);return d<90?Math.round(d)+" s":d<5400?Math.round(d/60)+" min":d<129600?Math.round(d/3600)+" h":Math.round(d/86400)+" d"};
const short=id=>id&&id.length>22?"…"+id.slice(-18):id;
const stateCell=s=>h("span",{class:"state "+(/RUNNING|FINISHED/.test(s)?"good":/FAILED|LOST|ERROR|UNREACHABLE|GONE|DROPPED/.test(s)?"bad":"warn")},s.replace("TASK_",""));
const tile=(label,value,part)=>h("div",{class:"tile"},h("span",{class:"dim"},label),h("b",{},value),part===undefined?undefined:h("div",{class:"bar"},h("i",{style:"width:"+Math.min(100,Math.round(part*100))+"%"})));
const table=(heads,rows,none)=>rows.length===0?h("div",{class:"empty"},none):h("div",{class:"scroll"},h("table",{},h("thead",{},h("tr",{},heads.map(t=>h("th",{class:t.startsWith("#")?"num":undefined},t.replace("#",""))))),h("tbody",{},rows.map(cells=>h("tr",{},cells.map((c,i)=>h("td",{class:heads[i].startsWith("#")?"num":undefined},c)))))));
const section=(title,count,body,extra)=>h("section",{},h("h2",{},title,h("span",{class:"count"},count),extra),body);
const every=(ms,work)=>{const run=async()=>{try{await work();show("note")}catch(e){show("note",h("div",{class:"note",role:"alert"},String(e.message||e)))}setTimeout(run,document.hidden?ms*5:ms)};run()};`;

export interface ConsolePage {
  readonly title: string;
  /** Placeholders by id, which the script fills. */
  readonly body: string;
  readonly script: string;
}

export const consolePage = ({ title, body, script: own }: ConsolePage): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title><link rel="icon" href="data:,"><style>${style}</style></head>
<body>${body}<script>${script}${own}</script></body></html>
`;
