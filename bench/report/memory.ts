/** What servers keep, as a table. */
import { format } from './figures.ts'

/** Proportional set sizes of all its processes, in MiB. */
export interface MemoryRow {
  readonly name: string
  /** Its answers were checked, no more. */
  readonly before: number
  /** Right after the load. */
  readonly loaded: number
  /** After the pause. */
  readonly after: number
}

export function memoryTable(
  title: string,
  rows: readonly MemoryRow[],
  { seconds, idle }: { readonly seconds: number; readonly idle: number },
): string {
  const lines = rows.map(
    ({ name, before, loaded, after }) =>
      `| ${[name, ...[before, loaded, after].map((mib) => format(mib, 1))].join(' | ')} |`,
  )
  return `## Memory: ${title}

| PSS MiB | before | after ${seconds} s of load | idle, ${idle} s or more later |
| --- | ---: | ---: | ---: |
${lines.join('\n')}`
}
