/** The status page for people: facts, workers and metrics come in, HTML leaves. Called by `listener.ts`. */
import type { MetricSamples } from '../metrics/family.ts'
import type { Readiness, StatusFacts } from './listener.ts'

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd;font-variant-numeric:tabular-nums}
.ready{color:#116329}.not{color:#a40e26}
@media (prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181c}th,td{border-color:#333}.ready{color:#5fd38a}.not{color:#ff8a8a}}`

/** What says little in one number; it is at /metrics. */
const LEFT_OUT = /^uwas_(?:process_|event_loop|gc_|build_info|start_time)/

export function writeStatusPage(
  { pid, version, name, seconds, reloads, workers }: StatusFacts,
  { status, checks }: Readiness,
  metrics: readonly MetricSamples[],
): string {
  const title = `uwas ${version}: ${name}`
  const told = Object.entries(checks).map(([check, result]) => `${check} ${result}`)
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeText(title)}</title><style>${STYLE}</style></head>
<body>
<h1>${escapeText(title)}</h1>
<p>pid ${pid}, for ${seconds} s, ${reloads} reloads. <strong class="${status === 'ready' ? 'ready' : 'not'}">${escapeText(
    [status, ...told].join(', '),
  )}</strong>. For programs: <a href="/metrics">/metrics</a>, <a href="/status.json">/status.json</a>, <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a></p>
<h2>Workers</h2>
${table(Object.keys(workers[0] ?? {}), workers.map(Object.values))}
<h2>Metrics</h2>
${table(['metric', 'of', 'value'], rowsOf(metrics))}
</body>
</html>
`
}

/** A histogram is told by how many there were, and their mean. */
function rowsOf(metrics: readonly MetricSamples[]): string[][] {
  return metrics
    .filter(({ family }) => !LEFT_OUT.test(family.name))
    .flatMap(({ family, samples }) =>
      samples.map(({ labels, values }) => {
        const of = family.labels.map((label, i) => `${label}=${labels[i]}`).join(' ')
        return [family.name, of, family.kind === 'histogram' ? meanOf(values) : short(values[0])]
      }),
    )
}

function meanOf(values: Float64Array): string {
  const count = values.slice(0, -1).reduce((sum, one) => sum + one, 0)
  const sum = values.at(-1) as number
  return count === 0 ? '0' : `${count}, on average ${short(sum / count)}`
}

function short(value: number | undefined): string {
  return String(Number((value ?? 0).toPrecision(4)))
}

function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const line = (cells: readonly unknown[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeText(String(cell))}</${tag}>`).join('')}</tr>`
  return `<table>\n${[line(head, 'th'), ...rows.map((row) => line(row, 'td'))].join('\n')}\n</table>`
}

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`)
}
