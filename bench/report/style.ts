/** The style of all pages that the bench writes: light or dark as the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --back: #fcfcfb; --text: #1d2125; --quiet: #5c656d; --rule: #dcdfe2;
  --own: #0b67c2; --own-part: #7db4ea; --other: #8b96a0; --other-part: #c3cad0; --whisker: #1d2125; --ahead: #b3440e; --card: #f3f4f4; }
@media (prefers-color-scheme: dark) { :root { --back: #15181b; --text: #e8eaec; --quiet: #a2abb3; --rule: #343a40;
  --own: #58a6f5; --own-part: #2f679e; --other: #7b868f; --other-part: #4b545c; --whisker: #f4f5f6; --ahead: #f0945a; --card: #1e2226; } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 58rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 3rem 0 .25rem; padding-top: 1rem; border-top: 1px solid var(--rule) }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem }
p { margin: .5rem 0; max-width: 44rem }
.quiet, figcaption, summary { color: var(--quiet); font-size: .875rem }
a { color: var(--own) }
figure { margin: 1.25rem 0 }
figcaption { margin-bottom: .75rem }
svg { display: block; overflow: visible; font: 14px system-ui, sans-serif }
svg text { fill: var(--text); paint-order: stroke; stroke: var(--back); stroke-width: 4px; stroke-linejoin: round }
svg .value { font-variant-numeric: tabular-nums; fill: var(--quiet) }
svg .own .label, svg .own .value { font-weight: 650; fill: var(--text) }
svg .axis { font-size: 12px; fill: var(--quiet) }
svg .whole { fill: var(--other) } svg .part { fill: var(--other-part) }
svg .own .whole { fill: var(--own) } svg .own .part { fill: var(--own-part) }
svg .gap { fill: var(--back) }
svg .whisker { stroke: var(--whisker); stroke-width: 2 }
svg .base { stroke: var(--own); stroke-dasharray: 2 4 }
svg .grid { stroke: var(--rule) }
svg .dot { fill: var(--other); stroke: var(--back) } svg .dot.ahead { fill: var(--ahead) }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: 6px }
table { border-collapse: collapse; font-size: .8125rem; font-variant-numeric: tabular-nums; width: 100% }
th, td { padding: .35rem .6rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--rule) }
thead th { border-top: 0; color: var(--quiet); font-weight: 500; vertical-align: bottom }
th:first-child, td:first-child { text-align: left; font-weight: 500; position: sticky; left: 0; background: var(--back) }
td:last-child { white-space: normal; min-width: 10rem }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .15rem 1rem; font-size: .875rem; margin: .5rem 0 }
dt { color: var(--quiet) } dd { margin: 0 }
summary { cursor: pointer; padding: .35rem 0 }
pre { background: var(--card); padding: .75rem; border-radius: 6px; overflow-x: auto; font-size: .75rem; line-height: 1.45; white-space: pre-wrap }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .8em; vertical-align: -.05em }
.key:first-child { margin-left: 0 }
`
