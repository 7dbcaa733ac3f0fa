/** What a profile leaves: lines for the terminal, and one page in `results/` that needs nothing else. */
import { mkdirSync } from 'node:fs'
import { escapeText } from '../report/chart.ts'
import { RESULTS, stemOf, write } from '../report/result.ts'
import { STYLE } from '../report/style.ts'
import { FLAME_STYLE } from './flame-graph.ts'

export interface Report {
  /** As `flame of static-1k`. */
  readonly title: string
  /** How it was measured, in one line. */
  readonly head: string
  readonly parts: readonly Part[]
}

export interface Part {
  readonly title: string
  /** The first row is the head; the last column is text, the others are figures. */
  readonly rows?: readonly (readonly string[])[]
  /** Words below the table. */
  readonly notes?: readonly string[]
  /** Markup of a chart. */
  readonly chart?: string
}

/** Rows of a table on the terminal; the page has all. */
const SHOWN_ROWS = 15

export function terminalText({ title, head, parts }: Report): string {
  const blocks = parts
    .filter(({ rows, notes }) => rows !== undefined || notes !== undefined)
    .map(({ title: name, rows = [], notes = [] }) =>
      [name, ...aligned(rows.slice(0, SHOWN_ROWS + 1)), ...notes].join('\n'),
    )
  return [`${title}: ${head}`, ...blocks].join('\n\n')
}

/** Columns of figures to the right, the last one to the left. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const last = (rows[0]?.length ?? 1) - 1
  const widths = Array.from({ length: last }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) => {
    const figures = widths.map((width, column) => (row[column] ?? '').padStart(width))
    return `  ${[...figures, row[last] ?? ''].join('  ')}`.trimEnd()
  })
}

export function reportPage({ title, head, parts }: Report): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${STYLE}${FLAME_STYLE}body { max-width: 80rem } td:last-child, th:last-child { text-align: left }
th:first-child, td:first-child { text-align: right; font-weight: inherit }</style>
</head>
<body>
<main>
<h1>${escapeText(title)}</h1>
<p>${escapeText(head)}</p>
${parts.map(section).join('\n')}
</main>
</body>
</html>
`
}

function section({ title, rows, notes = [], chart = '' }: Part): string {
  const [header = [], ...lines] = rows ?? []
  const cells = (row: readonly string[], tag: string): string =>
    row.map((cell) => `<${tag}>${escapeText(cell)}</${tag}>`).join('')
  const table =
    rows === undefined
      ? ''
      : `<div class="scroll" tabindex="0" role="region" aria-label="${escapeText(title)}"><table>
<thead><tr>${cells(header, 'th')}</tr></thead>
<tbody>${lines.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n')}</tbody>
</table></div>`
  const words = notes.map((note) => `<p>${escapeText(note)}</p>`)
  return `<h2>${escapeText(title)}</h2>\n${chart}\n${table}\n${words.join('\n')}`
}

/** Where files of a profile begin: `results/<time>-<kind>-<target>`, in a folder that is there. */
export function stemFor(kind: string, target: string): string {
  mkdirSync(RESULTS, { recursive: true })
  return `${stemOf({ at: new Date().toISOString() })}-${kind}-${target.replace(/[^\w.-]+/g, '-')}`
}

/** Prints it and writes the page; the path. */
export function publish(report: Report, stem: string): string {
  console.log(`\n${terminalText(report)}\n`)
  return write(`${stem}.html`, reportPage(report))
}
