/** A tree of calls as HTML: one box a call, as wide as its part of the whole, what it calls below it. A click makes a call the whole width. */
import { escapeText } from '../report/chart.ts'
import type { Call } from './tree.ts'

/** Narrower boxes cannot be seen, and there are thousands of them. */
const LEAST_PART = 0.001
const ROW_PX = 18
const DIGITS = 4

/** `unit` words an amount. */
export function flameGraph(root: Call, unit: (amount: number) => string): string {
  const boxes: string[] = []
  let rows = 0
  const draw = (call: Call, left: number, row: number): void => {
    const width = call.total / root.total
    if (!(width >= LEAST_PART)) return
    rows = Math.max(rows, row + 1)
    boxes.push(box(call, left, width, row, unit))
    let at = left
    for (const one of call.calls) {
      draw(one, at, row + 1)
      at += one.total / root.total
    }
  }
  draw(root, 0, 0)
  return `<div class="flame" style="height:${rows * ROW_PX}px">${boxes.join('')}</div>
<script>${ZOOM}</script>`
}

function box(
  { name, where, owner, own, total }: Call,
  left: number,
  width: number,
  row: number,
  unit: (amount: number) => string,
): string {
  const title = `${name}${where && `\n${where}`}\n${unit(total)}, of it by itself ${unit(own)}`
  const place = `left:${percent(left)}%;width:${percent(width)}%;top:${row * ROW_PX}px`
  const kind = KINDS[owner] ?? 'package'
  const label = escapeText(row === 0 ? name : `${name} ${where}`.trim())
  return `<button class="${kind}" style="${place}" data-l="${left.toFixed(DIGITS + 2)}" data-w="${width.toFixed(DIGITS + 2)}" title="${escapeText(title)}">${label}</button>`
}

function percent(part: number): string {
  return (part * 100).toFixed(DIGITS)
}

const KINDS: Readonly<Record<string, string>> = {
  '': 'all',
  uwas: 'uwas',
  'the site': 'site',
  Node: 'node',
  'garbage collector': 'garbage',
  'native code and kernel': 'native',
}

const ZOOM = `
for (const flame of document.querySelectorAll('.flame')) flame.addEventListener('click', ({ target }) => {
  const left = Number(target.dataset.l), width = Number(target.dataset.w)
  if (!(width > 0)) return
  for (const one of flame.children) {
    const l = (Number(one.dataset.l) - left) / width, w = Number(one.dataset.w) / width
    const from = Math.max(0, l), to = Math.min(1, l + w)
    one.hidden = to - from < 1e-6
    one.style.left = from * 100 + '%'
    one.style.width = (to - from) * 100 + '%'
  }
})`

export const FLAME_STYLE = `
:root { --uwas: #bcd9f7; --site: #c9e8c4; --package: #f1dfb0; --node: #e0e3e6; --garbage: #f5c4b6; --native: #dccdf0 }
@media (prefers-color-scheme: dark) { :root { --uwas: #1f4e7d; --site: #2d5a2a; --package: #5d4b19; --node: #3a4147; --garbage: #7a3423; --native: #4b3a69 } }
.flame { position: relative; font: 12px/1.4 ui-monospace, monospace }
.flame button { position: absolute; height: ${ROW_PX - 1}px; padding: 0 3px; border: 0; border-right: 1px solid var(--back); border-radius: 0;
  background: var(--node); color: var(--text); font: inherit; text-align: left; white-space: nowrap; overflow: hidden; cursor: zoom-in }
.flame button:hover, .flame button:focus-visible { outline: 2px solid var(--own); outline-offset: -2px }
${['uwas', 'site', 'package', 'garbage', 'native'].map((kind) => `.flame .${kind}, .key.${kind} { background: var(--${kind}) }`).join('\n')}
.key.node { background: var(--node) }
`

export const LEGEND = [
  ['uwas', 'uwas'],
  ['site', 'the site'],
  ['package', 'packages'],
  ['node', 'Node'],
  ['native', 'native code and kernel'],
  ['garbage', 'garbage collector'],
]
  .map(([kind, label]) => `<span class="key ${kind}"></span>${label}`)
  .join('')
