/** A line over seconds, as SVG that needs no library. Positions across are parts of the width, as in ../report/chart.ts. */
import { escapeText } from '../report/chart.ts'

export interface LineChart {
  /** Unique in the page. */
  readonly id: string
  readonly title: string
  readonly digits: number
  /** Seconds and value, in the order of time. */
  readonly points: readonly (readonly [seconds: number, value: number])[]
}

const HEIGHT = 90

export function lineChart({ id, title, digits, points }: LineChart): string {
  const most = Math.max(...points.map(([, value]) => value), Number.MIN_VALUE)
  const last = points.at(-1)?.[0] ?? 0
  // A stretched view box bends no text when text stands outside of it.
  const path = points
    .map(([at, value]) => `${(100 * at) / last},${HEIGHT * (1 - value / most)}`)
    .join(' ')
  const words = `From 0 to ${last.toFixed(1)} seconds; the most is ${most.toFixed(digits)}.`
  return `<figure>
<figcaption>${escapeText(title)}: 0 to ${most.toFixed(digits)}, over ${last.toFixed(1)} s</figcaption>
<svg role="img" aria-labelledby="${id}-title ${id}-text" width="100%" height="${HEIGHT}" viewBox="0 0 100 ${HEIGHT}" preserveAspectRatio="none">
<title id="${id}-title">${escapeText(title)}</title><desc id="${id}-text">${escapeText(words)}</desc>
<line class="grid" x1="0" x2="100" y1="${HEIGHT}" y2="${HEIGHT}" vector-effect="non-scaling-stroke"/>
<polyline fill="none" stroke="var(--own)" stroke-width="2" vector-effect="non-scaling-stroke" points="${path}"/>
</svg>
</figure>`
}
