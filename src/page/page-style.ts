import { style } from "../report/page/style.js";

/** The explorer's own looks, over those of the reports. */
export const pageStyle = `${style}
.explorer { max-width: 1320px; }
.explorer section { margin-top: 34px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 12px; top: 8px; background: var(--surface); padding: 6px 10px; z-index: 5; }
header .top { position: sticky; flex-wrap: wrap; }
.top nav button, .tools button, .quiet { border-color: transparent; background: none; color: var(--muted); }
.top nav button { font-size: 15px; padding: 6px 10px; }
.top nav button[aria-current] { color: var(--ink); font-weight: 600; border-color: var(--line); background: var(--surface); }
.tools { display: flex; flex-wrap: wrap; gap: 2px; }
button:disabled { opacity: 0.55; cursor: default; }
.status .eyebrow { margin: 0; }
.task { min-height: 34px; margin: 2px 0 0; font-size: 13.5px; color: var(--muted); max-width: none; display: flex; gap: 8px; align-items: center; flex-wrap: wrap; }
.task progress { width: 120px; accent-color: var(--accent); }
.problem { border: 1px solid var(--warm); border-radius: 8px; padding: 8px 12px; margin: 6px 0 14px; background: var(--surface); font-size: 14px; overflow-wrap: anywhere; }
.warning { color: var(--warm); font-size: 14px; }
.primary { background: var(--accent); border-color: var(--accent); color: var(--surface); font-weight: 600; }
.field { display: block; font-size: 14px; font-weight: 600; margin: 12px 0 4px; }
.field textarea, .field select, .field > input { display: block; width: 100%; margin-top: 4px; font: inherit; font-weight: 400; }
textarea { color: var(--ink); background: var(--surface); border: 1px solid var(--line); border-radius: 6px; padding: 8px 10px; font-size: 15px; resize: vertical; }
.row { display: flex; gap: 8px; }
.row input { flex: 1; min-width: 0; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; min-height: 36px; margin: 4px 0 10px; }
.chips button { border-radius: 999px; font-size: 13px; padding: 3px 10px; }
button.token { border: 0; padding: 0 5px; background: var(--accent-soft); font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13.5px; max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
.edits, .plain, .passages { list-style: none; padding: 0; margin: 0; }
.plain li { padding: 4px 0; }
.edit { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; margin: 0 0 10px; }
.edit-head { display: flex; gap: 10px; align-items: center; flex-wrap: wrap; }
.edit-head .value { flex: 1; font-size: 19px; white-space: nowrap; }
.edit input[type="range"], .slider-field input { width: 100%; padding: 0; accent-color: var(--accent); height: 28px; }
.edit .note { min-height: 2.9em; margin: 4px 0 0; overflow-wrap: anywhere; }
.ban { font-size: 14px; display: inline-flex; gap: 5px; align-items: center; }
.scale { display: flex; justify-content: space-between; font-size: 12px; color: var(--muted); }
.slider-field span { display: flex; justify-content: space-between; }
.slider-field output { font-weight: 400; font-variant-numeric: tabular-nums; }
.next table { table-layout: fixed; }
.next tbody { min-height: 420px; }
.next th:first-child { width: 34%; }
.next .number { width: 21%; }
.next td { height: 29px; overflow: hidden; }
.next tr.edited td { background: var(--accent-soft); }
.swatch.filled { background: var(--accent); }
.swatch.outlined { border: 1.5px solid var(--warm); }
.written .text { white-space: pre-wrap; overflow-wrap: anywhere; min-height: 9em; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.controls input[type="number"] { width: 6.5em; }
.drop { border: 2px dashed var(--line); border-radius: 10px; padding: 16px; margin: 14px 0; }
.drop.over { border-color: var(--accent); background: var(--accent-soft); }
label.button { display: inline-block; border: 1px solid var(--line); border-radius: 6px; padding: 5px 10px; font-size: 14px; cursor: pointer; background: var(--surface); }
label.button:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
label.button input { position: absolute; width: 1px; height: 1px; opacity: 0; }
.asked { border: 1px solid var(--accent); border-radius: 10px; padding: 10px 14px; margin: 10px 0; }
.chart-head { display: flex; justify-content: space-between; gap: 12px; align-items: baseline; }
.chart-head h3 { margin: 12px 0 6px; }
.chart-files { white-space: nowrap; }
.chart-files button { font-size: 12px; padding: 1px 7px; border-color: transparent; background: none; color: var(--muted); }
.tiles, .columns .tiles { margin-top: 14px; grid-template-columns: repeat(auto-fit, minmax(124px, 1fr)); }
.columns { margin-top: 12px; }
.columns > section { margin-top: 0; }
.controls { margin-bottom: 12px; }
dialog.token-page { width: min(960px, 94vw); max-height: 92vh; border: 1px solid var(--line); border-radius: 12px; background: var(--ground); color: var(--ink); padding: 8px 22px 22px; }
dialog::backdrop { background: #0008; }
.passages li { border-top: 1px solid var(--line); padding: 6px 0; font-size: 14px; }
.passages p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 560px) { .tools button { padding: 5px 6px; font-size: 13px; } .top nav button { padding: 5px 7px; font-size: 14px; } .edit-head .value { font-size: 16px; } }
`;
