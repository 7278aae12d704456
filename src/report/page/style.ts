/**
 * The page's colours on a light ground, as CSS variables. Series are drawn in accent, warm, neutral, green, violet and
 * gold: any two of these can be told apart, by the colour-blind too (style.test.ts).
 */
export const LIGHT = `
  --ground: #fbfaf8; --surface: #ffffff; --ink: #1d2127; --muted: #5b6370; --line: #dfdeda; --grid: #1d212718;
  --accent: #1f5fa8; --accent-soft: #d5e4f5; --warm: #b4480b; --neutral: #878d96;
  --green: #0f4022; --violet: #591374; --gold: #d37a06;
  --mass-0: #12355f; --mass-1: #1f5fa8; --mass-2: #7fabd8; --mass-3: #dcdfe4;
  color-scheme: light;`;

/** The same on a dark ground. */
export const DARK = `
  --ground: #14171b; --surface: #1b1f25; --ink: #e6e8ec; --muted: #a0a8b4; --line: #333942; --grid: #e6e8ec1c;
  --accent: #7db4f2; --accent-soft: #22374f; --warm: #f2a25c; --neutral: #7b8490;
  --green: #6fe8cf; --violet: #a94ed6; --gold: #efe05a;
  --mass-0: #d5e7fc; --mass-1: #7db4f2; --mass-2: #3d6da3; --mass-3: #363d47;
  color-scheme: dark;`;

/** How much of the points below it the plate of a name in a figure hides. */
export const NAME_PLATE = 0.88;

/** The report's style sheet: system fonts, both themes, 400 px and up, print. */
export const style = `
:root {${LIGHT}}
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) {${DARK}} }
:root[data-theme="dark"] {${DARK}}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif;
}
.page { max-width: 1200px; margin: 0 auto; padding: 0 clamp(16px, 3.5vw, 40px) 64px; }
h1, h2 { font-family: ui-serif, "Iowan Old Style", "Palatino Linotype", Palatino, Charter, Georgia, "Liberation Serif", serif; font-weight: 600; text-wrap: balance; }
h1 { font-size: clamp(27px, 4vw, 44px); line-height: 1.15; letter-spacing: -0.01em; max-width: 26em; margin: 0 0 18px; overflow-wrap: anywhere; }
h2 { font-size: clamp(22px, 2.6vw, 29px); line-height: 1.2; margin: 0 0 10px; }
h3 { font-size: 17px; margin: 36px 0 6px; }
h4 { font-size: 13px; font-weight: 600; color: var(--muted); margin: 0 0 4px; }
p { margin: 0 0 12px; max-width: 72ch; }
a { color: var(--accent); }
small, .note { color: var(--muted); font-size: 13px; line-height: 1.45; }
code, pre, .token { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; font-size: 0.9em; }
code { overflow-wrap: anywhere; }
pre { background: var(--surface); border: 1px solid var(--line); border-radius: 6px; padding: 10px 14px; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 14px; }
.token { background: var(--accent-soft); border-radius: 3px; padding: 0 4px; overflow-wrap: anywhere; unicode-bidi: isolate; }
.formula { font-family: ui-serif, "Iowan Old Style", Palatino, Georgia, "Liberation Serif", serif; font-style: italic; white-space: nowrap; }
sub { font-size: 0.72em; line-height: 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.top { display: flex; justify-content: space-between; align-items: center; gap: 16px; padding: 14px 0; font-size: 14px; }
.top nav { display: flex; flex-wrap: wrap; gap: 2px 16px; }
.top nav a { color: var(--muted); text-decoration: none; }
.top nav a:hover { color: var(--ink); text-decoration: underline; }
button, input, select { font: inherit; font-size: 14px; color: var(--ink); background: var(--surface); border: 1px solid var(--line); border-radius: 6px; padding: 5px 10px; }
button { cursor: pointer; }
button:hover, select:hover { border-color: var(--muted); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
#theme { flex: none; }

.headline { padding: clamp(20px, 4vw, 52px) 0 8px; }
.eyebrow { font-size: 14px; color: var(--muted); margin: 0 0 10px; overflow-wrap: anywhere; max-width: none; }
.lead { font-size: clamp(16px, 1.5vw, 18px); max-width: 70ch; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(2, 1fr); gap: 1px; margin: 28px 0 0; background: var(--line); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
@media (min-width: 640px) { .tiles { grid-template-columns: repeat(3, 1fr); } }
@media (min-width: 1080px) { .tiles { grid-template-columns: repeat(6, 1fr); } }
.tiles div { background: var(--surface); padding: 14px 16px; }
.tiles dt { font-size: 13px; font-weight: 600; color: var(--muted); }
.tiles dd { margin: 0; font-size: 12.5px; line-height: 1.4; color: var(--muted); }
.value, .tiles .value { font-size: 27px; line-height: 1.3; font-weight: 600; color: var(--ink); font-variant-numeric: tabular-nums; letter-spacing: -0.015em; margin: 0 0 2px; }
section { margin-top: clamp(44px, 6vw, 76px); scroll-margin-top: 12px; }
.primer { border-left: 3px solid var(--accent); padding-left: clamp(14px, 2vw, 22px); }
.primer p:last-child { margin-bottom: 0; }

figure { margin: 18px 0 0; min-width: 0; }
figcaption { font-size: 13.5px; line-height: 1.5; color: var(--muted); margin-top: 8px; max-width: 76ch; }
figcaption b { color: var(--ink); }
.columns { display: grid; gap: 18px 40px; align-items: start; }
.columns > * { min-width: 0; }
@media (min-width: 900px) {
  .columns.two { grid-template-columns: 1fr 1fr; }
  .columns.wide-left { grid-template-columns: minmax(0, 1.75fr) minmax(0, 1fr); }
  .columns.three { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 18px 32px; }
}
.chart { position: relative; }
.headline h1 small { font-size: 0.45em; }
.chart svg { display: block; overflow: visible; position: relative; max-width: 100%; --plot-background: var(--surface); font-family: inherit; font-size: 12px; color: var(--ink); }
.chart canvas { position: absolute; pointer-events: none; }
.cloud { touch-action: pan-y; cursor: crosshair; border-radius: 4px; }
.cloud .name { font-size: 12px; font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; pointer-events: none; fill: var(--ink); unicode-bidi: isolate; }
.cloud .name-plate { fill: var(--ground); fill-opacity: ${NAME_PLATE}; pointer-events: none; }
.cloud .name.marked { fill: var(--warm); font-weight: 600; }
.tip { position: absolute; z-index: 2; pointer-events: none; max-width: 250px; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; box-shadow: 0 4px 18px #0003; padding: 8px 11px; font-size: 13px; line-height: 1.45; }
.tip[hidden] { display: none; }
.tip .token { font-size: 14px; }
.tip dl, .token-list dl { margin: 4px 0 0; display: grid; grid-template-columns: auto auto; gap: 0 12px; }
.tip dt { color: var(--muted); }
.tip dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
.controls { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; font-size: 14px; margin: 4px 0 0; }
.controls select { min-width: 0; max-width: 100%; }
.controls label { max-width: 100%; display: inline-flex; gap: 6px; align-items: center; color: var(--muted); }
.slider { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; font-size: 14px; }
.slider input { flex: 1 1 220px; padding: 0; accent-color: var(--accent); }
.slider output { flex: 0 1 330px; font-variant-numeric: tabular-nums; color: var(--muted); }
.wide { overflow-x: auto; max-width: none !important; position: relative; }
:not(.columns) > .wide + .wide { margin-top: 18px; }
:is(.wide, .columns) + p { margin-top: 14px; }
.facts > div > div + div { margin-top: 18px; }
.wide:has(thead th:nth-child(5)) :is(td, th):first-child { position: sticky; left: 0; z-index: 1; background: var(--ground); padding-right: 10px; }
@media (max-width: 600px) { .wide:has(thead th:nth-child(5)) :is(td, th):first-child { min-width: 5em; max-width: 44vw; white-space: normal; overflow-wrap: break-word; } }
@media (max-width: 600px) {
  .cards thead { display: none; }
  .cards :is(tbody, tr, td) { display: block; }
  .cards tr { padding: 8px 0; border-top: 1px solid var(--line); }
  .cards tr td { border: 0; padding: 2px 0; max-width: none !important; }
  .cards td[data-name] { display: flex; gap: 12px; text-align: right; flex-wrap: wrap; justify-content: flex-end; column-gap: 10px; }
  .cards td[data-name]::before { content: attr(data-name); color: var(--muted); margin-right: auto; }
  .cards td[data-name] small { align-self: center; }
}
.search label { display: block; font-size: 14px; font-weight: 600; margin-bottom: 4px; }
.search input { width: 100%; padding: 9px 12px; font-size: 16px; }
.search .note { margin: 6px 0 0; }
.token-list { list-style: none; margin: 10px 0 0; padding: 0; font-size: 13.5px; }
.token-list li { display: flex; flex-wrap: wrap; gap: 2px 10px; justify-content: space-between; align-items: baseline; padding: 5px 0; border-top: 1px solid var(--line); font-variant-numeric: tabular-nums; }
.token-list li span { color: var(--muted); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; color: var(--muted); margin: 0 0 2px; align-items: center; }
.key { white-space: nowrap; }
.mass figcaption { max-width: none; }
.mass .key { margin-right: 14px; }
@media (min-width: 900px) { .side { position: sticky; top: 16px; } }
.quantiles { margin-top: 22px; }
.list-title { font-weight: 600; font-size: 13.5px; margin: 14px 0 0; }
.swatch { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 5px; vertical-align: -1px; }
.swatch.line { height: 3px; width: 18px; vertical-align: 3px; }
.swatch.dashed { border-radius: 0; mask: repeating-linear-gradient(to right, #000 0 5px, transparent 5px 8px); width: 21px; }
.key svg { display: inline-block; vertical-align: -2px; margin-right: 5px; }
.number.wrap { white-space: normal; }
.nowrap { white-space: nowrap; }
.swatch.ring { border: 1.5px solid var(--ink); border-radius: 50%; }
.missed { display: block; color: var(--warm); white-space: normal; min-width: 13em; max-width: 26em; }
.edits-table { margin-top: 26px; }
.edits td small { display: block; }
.occurrences table { max-width: 620px; }
.generated { margin-top: 18px; }
details.more-texts > :not(summary) { max-width: none; }
.generated p { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 15px; }
mark { background: var(--accent-soft); color: inherit; border-bottom: 2px solid var(--warm); }
.ramp { display: inline-block; width: clamp(70px, 24vw, 130px); height: 10px; border-radius: 5px; vertical-align: -1px; margin: 0 6px; }

table { border-collapse: collapse; width: 100%; font-size: 13.5px; line-height: 1.4; }
caption { text-align: left; color: var(--muted); font-size: 13.5px; padding: 0 0 8px; }
caption b { color: var(--ink); }
th { text-align: left; font-weight: 600; color: var(--muted); font-size: 12.5px; vertical-align: bottom; padding: 4px 8px 4px 0; }
td { padding: 4px 8px 4px 0; border-top: 1px solid var(--line); }
tbody th { color: var(--ink); border-top: 1px solid var(--line); font-size: 14px; padding: 8px 12px 8px 0; }
tbody th small { display: block; font-weight: 400; }
tbody th .formula { display: inline-block; font-weight: 400; white-space: normal; margin-left: 4px; }
td:last-child, th:last-child { padding-right: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bars { width: 38%; }
.theory .bars { width: 24%; }
@media (max-width: 600px) { .likeliest .bars { width: 20%; } .likeliest th:first-child { width: 24%; } .likeliest .number { padding-left: 4px; } }
.bar { display: block; height: 7px; border-radius: 2px; min-width: 1px; }
.bar.filled { background: var(--accent); }
.bar.outlined { border: 1.5px solid var(--warm); margin-top: 3px; height: 6px; }
.conditions { display: grid; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); gap: 18px 32px; margin: 18px 0 8px; }
.conditions p { font-size: 14px; line-height: 1.5; }
.conditions p.value { font-size: 22px; }
.mass-bar { display: flex; height: 22px; border-radius: 5px; overflow: hidden; }
.mass-0 { background: var(--mass-0); } .mass-1 { background: var(--mass-1); } .mass-2 { background: var(--mass-2); } .mass-3 { background: var(--mass-3); }
.facts dl, dl.facts { margin: 0; font-size: 14px; }
dl.facts > div { display: grid; grid-template-columns: 9.5em minmax(0, 1fr); gap: 10px; padding: 4px 0; border-top: 1px solid var(--line); }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
dl.facts ul { margin: 0; padding: 0; list-style: none; }
details { margin: 14px 0; font-size: 14px; }
summary { cursor: pointer; color: var(--accent); }
details > :not(summary) { margin-top: 10px; max-width: 820px; }
footer { margin-top: 60px; padding-top: 16px; border-top: 1px solid var(--line); font-size: 13px; color: var(--muted); }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  :root:root {${LIGHT}}
  body { font-size: 11pt; background: none; }
  .page { max-width: none; padding: 0; }
  #theme, .top, .search, .controls, .slider, .tip { display: none; }
  figure, table, .tiles, .conditions { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  section { margin-top: 28px; }
}
`;
