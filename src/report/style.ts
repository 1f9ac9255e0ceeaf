/** The report's style sheet: system fonts, one column of text, tables and figures as wide as they need to be. */
export const REPORT_CSS = `
:root { --ink: #1c2128; --quiet: #5b6470; --line: #dfe3e8; --tint: #f5f7f9; --accent: #1f5fa8; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
header { border-bottom: 2px solid var(--ink); margin-bottom: 2rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 1.3rem; margin: 2.8rem 0 0.6rem; letter-spacing: -0.005em; }
p, ul { max-width: 46rem; }
.over { color: var(--accent); font-weight: 600; font-size: 0.9rem; margin: 0 0 0.2rem; }
.meta, .note, figcaption { color: var(--quiet); font-size: 0.9rem; }
.meta { margin: 0.3rem 0 1rem; }
.lead { font-size: 1.08rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
.tall { max-height: 46rem; overflow-y: auto; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; font-size: 0.88rem; font-variant-numeric: tabular-nums; margin: 0.6rem 0; }
th, td { padding: 0.32rem 0.55rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
td { white-space: nowrap; }
thead th { border-bottom: 1.5px solid var(--ink); font-weight: 600; vertical-align: bottom; background: #fff; }
.tall thead th { position: sticky; top: 0; }
th:first-child { text-align: left; padding-left: 0.2rem; }
tbody th { font-weight: 500; white-space: nowrap; }
th.text, td.text { text-align: left; white-space: normal; }
td.long { min-width: 19rem; }
td.text code { overflow-wrap: anywhere; }
tr.best { background: #fdf3e1; }
.reason { color: #9b1c1c; }
.settings td, .settings th { padding: 0.18rem 0.7rem 0.18rem 0.2rem; }
code, pre { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: 0.86em; }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 5px; padding: 0.8rem 1rem; overflow-x: auto;
  line-height: 1.45; font-size: 0.82rem; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 1.2rem 0; }
figure svg { max-width: 100%; height: auto; }
figcaption { max-width: 40rem; margin-top: 0.3rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 0.5rem 2rem; }
summary { cursor: pointer; color: var(--accent); font-weight: 500; margin: 0.8rem 0; }
@media (max-width: 32rem) { .figures { grid-template-columns: 1fr; } }
@media print { main { max-width: none; padding: 0; } .tall { max-height: none; } section { break-inside: auto; } figure { break-inside: avoid; } }
`;
