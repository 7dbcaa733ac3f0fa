/**
 * Metrics as text for Prometheus: its own format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), or OpenMetrics 1.0
 * (https://github.com/prometheus/OpenMetrics, specification) where the client takes it.
 */
import { negotiateType } from '../../http/negotiate.ts'
import type { Family, MetricSamples, Sample } from './family.ts'

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
export const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** Which of the two a client likes better, by its Accept; Prometheus's own where it says nothing, or neither. */
export function chooseType(accept: string | undefined): string {
  const chosen = negotiateType(accept, ['text/plain', 'application/openmetrics-text;version=1.0.0'])
  return chosen === 'text/plain' || chosen === undefined ? PROMETHEUS_TYPE : OPENMETRICS_TYPE
}

/** The whole text of a scrape. */
export function writeMetrics(metrics: readonly MetricSamples[], type: string): string {
  const isOpen = type === OPENMETRICS_TYPE
  const parts = metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ family, samples }) => writeFamily(family, samples, isOpen))
  return parts.join('') + (isOpen ? '# EOF\n' : '')
}

function writeFamily(family: Family, samples: readonly Sample[], isOpen: boolean): string {
  const { name, kind, help } = family
  // In OpenMetrics a counter's name is that of its samples without the ending.
  const told = isOpen && kind === 'counter' ? name.replace(/_total$/, '') : name
  const head = `# HELP ${told} ${escaped(help, isOpen)}\n# TYPE ${told} ${kind}\n`
  const write = kind === 'histogram' ? writeHistogram : writeNumber
  return head + samples.map((sample) => write(family, sample, isOpen)).join('')
}

function writeNumber({ name, labels }: Family, { labels: values, values: numbers }: Sample) {
  return `${name}${labelsOf(labels, values)} ${numberOf(numbers[0] as number)}\n`
}

/** Each bucket holds all that is no larger than its bound. */
function writeHistogram(family: Family, sample: Sample, isOpen: boolean): string {
  const { name, labels, bounds } = family
  const { values: numbers } = sample
  let count = 0
  const lines = [...bounds, Number.POSITIVE_INFINITY].map((bound, i) => {
    count += numbers[i] as number
    const le = boundOf(bound, isOpen)
    return `${name}_bucket${labelsOf([...labels, 'le'], [...sample.labels, le])} ${count}\n`
  })
  const own = labelsOf(labels, sample.labels)
  const sum = numberOf(numbers[bounds.length + 1] as number)
  return `${lines.join('')}${name}_sum${own} ${sum}\n${name}_count${own} ${count}\n`
}

function labelsOf(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return ''
  return `{${names.map((name, i) => `${name}="${escaped(values[i] as string, true)}"`).join(',')}}`
}

/** Help of the older format knows no escaped quotes. */
function escaped(text: string, hasQuotes: boolean): string {
  const plain = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
  return hasQuotes ? plain.replace(/"/g, '\\"') : plain
}

/** OpenMetrics wants bounds with a point. */
function boundOf(bound: number, isOpen: boolean): string {
  return isOpen && Number.isInteger(bound) ? `${bound}.0` : numberOf(bound)
}

function numberOf(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
