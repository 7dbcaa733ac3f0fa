/**
 * Charts as SVG that need no library and do not shrink on a phone: positions across are parts of the width, all else
 * is in CSS pixels. Colours and fonts are classes of `style.ts`.
 */

export interface Bar {
  readonly label: string
  readonly value: number
  readonly text: string
  /** Smallest and largest, for the whisker. */
  readonly low: number
  readonly high: number
  /** The part of the value that is drawn in another shade, from its end. */
  readonly part: number
  readonly isOwn: boolean
}

export interface BarChart {
  /** Unique in the page. */
  readonly id: string
  readonly title: string
  /** Says in words what the chart shows, for those who do not see it. */
  readonly description: string
  /** Bars longer than this are cut; their text tells the value. */
  readonly limit: number
  readonly bars: readonly Bar[]
}

const ROW = 44
const BAR = 16
const BAR_TOP = 22

export function barChart({ id, title, description, limit, bars }: BarChart): string {
  const longest = Math.max(...bars.map(({ high }) => high), Number.MIN_VALUE)
  const scale = Math.min(longest, limit)
  const own = bars.find(({ isOwn }) => isOwn)
  const rows = bars.map((bar, i) => drawBar(bar, i * ROW, scale))
  const line =
    own === undefined || own.value > scale
      ? ''
      : `<line class="base" x1="${part(own.value, scale)}" x2="${part(own.value, scale)}" y1="0" y2="${bars.length * ROW}"/>`
  return svg({ id, title, description, height: bars.length * ROW }, line + rows.join(''))
}

function drawBar(bar: Bar, top: number, scale: number): string {
  const isCut = bar.value > scale
  const width = isCut ? '100%' : part(bar.value, scale)
  const y = top + BAR_TOP
  const inner =
    bar.part > 0 && !isCut
      ? `<rect class="part" x="${part(bar.value - bar.part, scale)}" y="${y}" width="${part(bar.part, scale)}" height="${BAR}"/>`
      : ''
  const whisker = isCut ? tear(y) : whiskerOf(bar, y + BAR / 2, scale)
  return `<g class="${bar.isOwn ? 'bar own' : 'bar'}">
<text class="label" x="0" y="${top + 15}">${escapeText(bar.label)}</text>
<text class="value" x="100%" y="${top + 15}" text-anchor="end">${escapeText(bar.text)}</text>
<rect class="whole" x="0" y="${y}" width="${width}" height="${BAR}"/>${inner}${whisker}
</g>`
}

function whiskerOf({ low, high }: Bar, y: number, scale: number): string {
  const [from, to] = [part(low, scale), part(Math.min(high, scale), scale)]
  return `<line class="whisker" x1="${from}" x2="${to}" y1="${y}" y2="${y}"/>`
}

/** Three gaps near the end say that the bar goes on. */
function tear(y: number): string {
  const gaps = [88, 90, 92].map(
    (x) => `<rect class="gap" x="${x}%" y="${y - 1}" width="3" height="${BAR + 2}"/>`,
  )
  return gaps.join('')
}

export interface Dot {
  readonly label: string
  readonly ratio: number
}

export interface DotRow {
  readonly label: string
  /** Said at the right of the label. */
  readonly text: string
  readonly dots: readonly Dot[]
}

const DOT_ROW = 48

/** Ratios on a logarithmic axis from a quarter to eightfold; what lies beyond stands at its end. */
export function dotChart(
  id: string,
  title: string,
  description: string,
  rows: readonly DotRow[],
): string {
  const marks = [0.5, 1, 2, 4, 8]
  const height = rows.length * DOT_ROW + 20
  const grid = marks.map(
    (
      mark,
    ) => `<line class="${mark === 1 ? 'base' : 'grid'}" x1="${across(mark)}" x2="${across(mark)}" y1="0" y2="${height - 18}"/>
<text class="axis" x="${across(mark)}" y="${height - 4}" text-anchor="middle">${mark}×</text>`,
  )
  const drawn = rows.map(({ label, text, dots }, i) => {
    const y = i * DOT_ROW
    const circles = dots.map(
      (dot) =>
        `<circle class="${dot.ratio < 1 ? 'dot ahead' : 'dot'}" cx="${across(dot.ratio)}" cy="${y + 32}" r="5.5"><title>${escapeText(`${dot.label}: ${dot.ratio.toFixed(2)}×`)}</title></circle>`,
    )
    return `<text class="label" x="0" y="${y + 15}">${escapeText(label)}</text>
<text class="value" x="100%" y="${y + 15}" text-anchor="end">${escapeText(text)}</text>
<line class="grid" x1="0" x2="100%" y1="${y + 32}" y2="${y + 32}"/>${circles.join('')}`
  })
  return svg({ id, title, description, height }, grid.join('') + drawn.join(''))
}

const [LEAST, MOST] = [0.4, 10]

function across(ratio: number): string {
  const at = Math.log(Math.min(MOST, Math.max(LEAST, ratio)) / LEAST) / Math.log(MOST / LEAST)
  return `${(2 + at * 96).toFixed(2)}%`
}

function svg(
  { id, title, description, height }: Omit<BarChart, 'limit' | 'bars'> & { height: number },
  content: string,
): string {
  return `<svg role="img" aria-labelledby="${id}-title ${id}-text" width="100%" height="${height}">
<title id="${id}-title">${escapeText(title)}</title><desc id="${id}-text">${escapeText(description)}</desc>
${content}</svg>`
}

function part(value: number, scale: number): string {
  return `${((value / scale) * 100).toFixed(2)}%`
}

export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
