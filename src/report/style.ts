/**
 * The reports' style sheet: system fonts, one column, light and dark, paper. Every color is a variable, so that figures follow the
 * theme; text has a contrast of at least 4.5 to 1 on what it stands on. Nothing is wider than the page: what may be (tables, drawings,
 * code) scrolls within a box that has an edge.
 */
export const REPORT_CSS = `
:root { color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f9; --ink: #1a1f26; --quiet: #545e6a; --line: #d9dee5; --shade: rgba(20, 28, 38, .22);
  --accent: #1a5fb4; --warm: #b23c05; --good: #19743e; --bad: #a8231b; --mark: rgba(245, 179, 1, .16); --dot: #8792a0; --heat: #7fb0e6;
  --c0: #0072b2; --c1: #c25100; --c2: #007f5c; --c3: #b0578b; --c4: #9a6a00; --c5: #2b84b8; --c6: #7b3294; --c7: #8c510a; --c8: #4d7a21; }
@media screen and (prefers-color-scheme: dark) { :root {
  --page: #13161b; --panel: #1b2027; --ink: #e5e9ee; --quiet: #a3adba; --line: #353d48; --shade: rgba(0, 0, 0, .75);
  --accent: #82b8f5; --warm: #f59a62; --good: #66cf93; --bad: #ff8f85; --mark: rgba(245, 179, 1, .17); --dot: #7d8896; --heat: #2f6cb3;
  --c0: #5eb3ea; --c1: #f28c47; --c2: #35c797; --c3: #e39cc4; --c4: #e8b13a; --c5: #8fcdf2; --c6: #c490dd; --c7: #d19a5c; --c8: #98cc63; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--page); padding: .3rem .6rem; }
h1 { font-size: clamp(1.5rem, 1.2rem + 1.6vw, 2.1rem); line-height: 1.2; letter-spacing: -.015em; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; line-height: 1.3; letter-spacing: -.01em; margin: 0 0 .9rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
section { margin-top: 2.6rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
#content > section:first-child { margin-top: 0; border-top: 0; }
h2, h3 { scroll-margin-top: 4rem; }
.over { color: var(--quiet); font-size: .82rem; margin: 0 0 .3rem; }
.meta { color: var(--quiet); font-size: .92rem; margin: .4rem 0 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.6rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
.tiles > div { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: .75rem .9rem .7rem; }
.tiles dt { color: var(--quiet); font-size: .82rem; white-space: nowrap; max-width: 13rem; overflow: hidden; text-overflow: ellipsis; }
.tiles dd { margin: 0; color: var(--quiet); font-size: .8rem; overflow-wrap: anywhere; }
.tiles dd.value { color: var(--ink); font-size: 1.5rem; line-height: 1.3; font-weight: 620; letter-spacing: -.02em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tiles .first { border-color: var(--accent); box-shadow: inset 3px 0 0 var(--accent); }
.verdict { margin: 1rem 0 0; padding: .8rem 1rem; border-radius: 10px; border: 1px solid var(--line); border-left: 4px solid var(--quiet); background: var(--panel); }
.verdict p { margin: 0; overflow-wrap: anywhere; }
.verdict p + p { color: var(--quiet); font-size: .92rem; margin-top: .3rem; }
.verdict.better { border-left-color: var(--good); } .verdict.worse { border-left-color: var(--bad); } .verdict.even { border-left-color: var(--accent); }
nav { position: sticky; top: 0; z-index: 3; background: var(--page); border-bottom: 1px solid var(--line); margin-top: 1.3rem; }
nav ol { list-style: none; display: flex; gap: .15rem 1.15rem; margin: 0; padding: .5rem 0; overflow-x: auto; white-space: nowrap; font-size: .9rem; }
nav a { text-decoration: none; display: inline-block; padding: .15rem 0; } nav a:hover { text-decoration: underline; }
.scroll { overflow-x: auto; margin: .9rem 0; border: 1px solid var(--line); border-radius: 10px;
  background: linear-gradient(to right, var(--page) 50%, transparent) left / 3rem 100% local no-repeat,
    linear-gradient(to left, var(--page) 50%, transparent) right / 3rem 100% local no-repeat,
    linear-gradient(to right, var(--shade), transparent) left / .8rem 100% scroll no-repeat,
    linear-gradient(to left, var(--shade), transparent) right / .8rem 100% scroll no-repeat, var(--page); }
.tall { max-height: 42rem; overflow-y: auto; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; font-variant-numeric: tabular-nums; min-width: 100%; }
caption { text-align: left; color: var(--quiet); font-size: .82rem; padding: .6rem .65rem .5rem; }
caption span { position: sticky; left: .65rem; display: inline-block; max-width: calc(min(100vw, 68rem) - 4.6rem); }
th, td { padding: .38rem .65rem; text-align: right; vertical-align: top; border-top: 1px solid var(--line); white-space: nowrap; font-weight: 400; }
thead th { font-weight: 600; vertical-align: bottom; font-size: .82rem; color: var(--quiet); white-space: normal; }
tbody th { font-weight: 550; }
th:first-child { text-align: left; }
th.text, td.text { text-align: left; white-space: normal; overflow-wrap: break-word; max-width: 22rem; }
tbody th.text { min-width: 8rem; } td.text.long { min-width: 19rem; max-width: none; overflow-wrap: anywhere; }
.facts th { color: var(--quiet); font-weight: 400; padding-right: 1.2rem; } .facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.tall thead th { position: sticky; top: 0; background: var(--page); box-shadow: inset 0 -1px 0 var(--line); z-index: 1; }
th button { all: unset; cursor: pointer; } th button:hover { color: var(--accent); } th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
th[aria-sort] button::after { content: ' \\2191'; } th[aria-sort='descending'] button::after { content: ' \\2193'; }
tr.best > * { background: var(--mark); }
.tag { font-size: .76rem; font-weight: 600; color: var(--accent); }
.reason, .wrong { color: var(--bad); } .right { color: var(--good); }
code, pre { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: .88em; }
code { overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem; margin: .9rem 0; overflow-x: auto; line-height: 1.5; font-size: .82rem; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 0; min-width: 0; }
figure svg { display: block; max-width: 100%; height: auto; }
figcaption { color: var(--quiet); font-size: .82rem; margin-bottom: .35rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.8rem 2rem; margin: 1.2rem 0; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; margin: 0 0 1rem; font-size: .88rem; } .swatch { margin-right: .35rem; vertical-align: -.05em; }
.panels { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1.5rem 2.5rem; margin: 1rem 0; }
.panels figure { max-width: 100%; } .panels figcaption { color: var(--ink); font-weight: 600; font-size: .9rem; }
.panels .scroll { margin: 0; padding: .7rem; } .panels svg { max-width: none; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.2rem, 1fr)); gap: .9rem; list-style: none; padding: 0; margin: .9rem 0; }
.samples img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
.samples img.pixels { image-rendering: pixelated; } .samples li { font-size: .82rem; line-height: 1.35; min-width: 0; overflow-wrap: anywhere; } .samples p { margin: .3rem 0 0; }
details { margin: .9rem 0; } td details { margin: 0; } summary { cursor: pointer; color: var(--accent); font-weight: 550; font-size: .92rem; }
.notes { margin: 0; padding-left: 1.1rem; } .empty { color: var(--quiet); } footer { color: var(--quiet); font-size: .82rem; margin-top: 3rem; }
@media (max-width: 40rem) { nav { position: static; } nav ol { flex-wrap: wrap; white-space: normal; gap: 0 1rem; } h2, h3 { scroll-margin-top: 1rem; } main { padding: 1.25rem 1rem 3rem; } .tiles { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .6rem; } .tiles dt { white-space: normal; } .tiles dd.value { font-size: 1.25rem; }
  th, td { padding: .36rem .6rem; } caption { padding-inline: .6rem; } caption span { left: .6rem; max-width: calc(100vw - 3.6rem); } }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print { :root { color-scheme: light; } main { max-width: none; padding: 0; } nav, .skip { display: none; }
  body { font-size: 10.5pt; } .scroll, pre { overflow: visible; max-height: none; background: none; border: 0; padding: 0; } .tall thead th { position: static; }
  th, td { white-space: normal; padding: .2rem .4rem; } table { font-size: 8.5pt; } td.text.long { min-width: 0; } .panels svg { max-width: 100%; }
  section { margin-top: 1.4rem; } h2, h3, figcaption, caption { break-after: avoid; } figure, tr, .tiles > div, .verdict, .samples li { break-inside: avoid; }
  .figures { grid-template-columns: 1fr 1fr; } .tiles > div, .verdict { background: none; } }
`;
