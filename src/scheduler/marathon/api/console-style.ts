/** How the console looks. */
export const consoleStyle = `
:root { color-scheme: light dark; --ink: #1d2433; --quiet: #68708a; --line: #e2e5ee; --paper: #f6f7fb; --card: #fff;
  --main: #4453d6; --good: #1c8a4e; --bad: #c8324b; --wait: #b57708; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9f3; --quiet: #98a0b8; --line: #2c3246; --paper: #131722;
  --card: #1b2030; --main: #8e9bff; --good: #4fca87; --bad: #ff7488; --wait: #f0b64c; } }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header { display: flex; align-items: baseline; gap: 1rem; padding: 1rem 2rem; background: var(--card);
  border-bottom: 1px solid var(--line); position: sticky; top: 0; z-index: 1; }
h1 { font-size: 1.25rem; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; display: flex; align-items: center; gap: 1rem; }
header p { margin: 0; flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
main { max-width: 80rem; margin: 0 auto; padding: 1rem 2rem 4rem; }
.quiet { color: var(--quiet); } .small { font-size: .8rem; }
#figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .75rem 1rem; }
.figure b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .55rem 1rem; border-bottom: 1px solid var(--line); vertical-align: middle; }
th { font-size: .8rem; font-weight: 600; color: var(--quiet); }
tbody tr:last-child td { border-bottom: 0; }
tr.app { cursor: pointer; }
tr.app:hover { background: color-mix(in srgb, var(--main) 6%, transparent); }
td.tasks { padding: 0 1rem 1rem; }
td.tasks table { font-size: .87rem; }
code, textarea { font: .87rem/1.5 ui-monospace, monospace; }
.state { display: inline-flex; align-items: center; gap: .4rem; }
.state::before { content: ""; width: .6rem; height: .6rem; border-radius: 50%; background: var(--quiet); }
.good::before { background: var(--good); } .bad::before { background: var(--bad); }
.wait::before { background: var(--wait); }
.bar { display: flex; width: 8rem; height: .5rem; border-radius: .25rem; overflow: hidden; background: var(--line); }
.bar i { display: block; } .bar .good { background: var(--good); } .bar .bad { background: var(--bad); }
.bar .plain { background: var(--main); }
button, input { font: inherit; color: inherit; border: 1px solid var(--line); border-radius: .5rem; background: var(--card);
  padding: .3rem .7rem; }
button { cursor: pointer; } button:hover { border-color: var(--main); }
button.main, #new { background: var(--main); border-color: var(--main); color: var(--card); }
button.danger:hover { border-color: var(--bad); color: var(--bad); }
input[type=number] { width: 5rem; }
form.scale { display: flex; gap: .4rem; justify-content: flex-end; }
#deployments { list-style: none; margin: 0; padding: 0; display: grid; gap: .5rem; }
#deployments li { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--wait);
  border-radius: .5rem; padding: .5rem 1rem; display: flex; gap: 1rem; align-items: center; }
#deployments span { flex: 1; }
[role=alert] { background: color-mix(in srgb, var(--bad) 12%, var(--card)); border: 1px solid var(--bad);
  border-radius: .5rem; padding: .5rem 1rem; white-space: pre-wrap; }
dialog { border: 1px solid var(--line); border-radius: .75rem; background: var(--card); color: inherit; width: min(44rem, 92vw); }
dialog h2 { margin-top: 0; }
textarea { width: 100%; border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; background: var(--paper);
  color: inherit; }
menu { display: flex; justify-content: flex-end; gap: .5rem; padding: 0; margin: 1rem 0 0; }
:focus-visible { outline: 2px solid var(--main); outline-offset: 2px; }
`;
