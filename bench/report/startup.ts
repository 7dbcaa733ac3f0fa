/** How long servers take to start, as a table. */
import { median, spread } from '../method/statistics.ts'
import { format } from './figures.ts'

/** Of one server, in the order of its starts: the first finds nothing of its own. */
export interface StartRow {
  readonly name: string
  /** Milliseconds until it answers, and of CPU. */
  readonly starts: readonly { readonly ms: number; readonly cpuMs: number }[]
}

export function startTable(title: string, rows: readonly StartRow[]): string {
  const lines = rows.map(({ name, starts }) => {
    const [first, ...later] = starts
    const { middle, low, high } = spread(later.map(({ ms }) => ms))
    const cpu = median(later.map(({ cpuMs }) => cpuMs))
    const cells = [
      format(first?.ms ?? Number.NaN, 0),
      format(middle, 0),
      `${format(low, 0)}–${format(high, 0)}`,
    ]
    return `| ${[name, ...cells, format(cpu, 0)].join(' | ')} |`
  })
  return `## Start: ${title}

| ms until it answers | first start | later, median | from–to | CPU |
| --- | ---: | ---: | ---: | ---: |
${lines.join('\n')}`
}
