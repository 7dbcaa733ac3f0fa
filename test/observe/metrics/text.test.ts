import { spawnSync } from 'node:child_process'
import t from 'tap'
import { Registry } from '../../../src/observe/metrics/registry.ts'
import { Mirror, Reporter } from '../../../src/observe/metrics/report.ts'
import {
  chooseType,
  OPENMETRICS_TYPE,
  PROMETHEUS_TYPE,
  writeMetrics,
} from '../../../src/observe/metrics/text.ts'

const PROMETHEUS_ACCEPT =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

function sample(): Registry {
  const registry = new Registry()
  const requests = registry.counter('shop_requests_total', {
    help: 'Says "a\\b"\nand goes on.',
    labels: ['route'],
  })
  requests.at('/a"b\\c\nd').add(1e21)
  registry.gauge('shop_open', { help: 'Open ones.' }).at().set(-1.5)
  const seconds = registry.histogram('shop_seconds', {
    help: 'Seconds.',
    labels: ['kind'],
    bounds: [0.5, 1],
  })
  for (const value of [0.2, 0.5, 0.7, 9]) seconds.at('x').observe(value)
  registry.counter('shop_nothing_total', { help: 'Nothing yet.', labels: ['kind'] })
  return registry
}

function textOf(registry: Registry, type: string): string {
  const mirror = new Mirror()
  mirror.take(new Reporter(registry).report())
  return writeMetrics(mirror.samples(), type)
}

t.test('the text of Prometheus 0.0.4', async (t) => {
  t.equal(
    textOf(sample(), PROMETHEUS_TYPE),
    `# HELP shop_requests_total Says "a\\\\b"\\nand goes on.
# TYPE shop_requests_total counter
shop_requests_total{route="/a\\"b\\\\c\\nd"} 1e+21
# HELP shop_open Open ones.
# TYPE shop_open gauge
shop_open -1.5
# HELP shop_seconds Seconds.
# TYPE shop_seconds histogram
shop_seconds_bucket{kind="x",le="0.5"} 2
shop_seconds_bucket{kind="x",le="1"} 3
shop_seconds_bucket{kind="x",le="+Inf"} 4
shop_seconds_sum{kind="x"} 10.4
shop_seconds_count{kind="x"} 4
`,
  )
})

t.test('OpenMetrics names counters without their ending, and ends', async (t) => {
  const text = textOf(sample(), OPENMETRICS_TYPE)
  t.match(
    text,
    '# HELP shop_requests Says \\"a\\\\b\\"\\nand goes on.\n# TYPE shop_requests counter\nshop_requests_total{',
  )
  t.match(text, 'shop_seconds_bucket{kind="x",le="1.0"} 3\n')
  t.match(text, /\n# EOF\n$/)
})

t.test('the format is what the client asks for, and else that of Prometheus', async (t) => {
  t.equal(chooseType(PROMETHEUS_ACCEPT), OPENMETRICS_TYPE)
  t.equal(chooseType('text/plain;version=0.0.4;q=0.9,*/*;q=0.1'), PROMETHEUS_TYPE)
  t.equal(chooseType('application/openmetrics-text'), OPENMETRICS_TYPE)
  for (const accept of [undefined, '', '*/*', 'text/html', 'nonsense;;;', 'image/png']) {
    t.equal(chooseType(accept), PROMETHEUS_TYPE, String(accept))
  }
})

t.test('Prometheus reads it', { skip: promtool() }, async (t) => {
  const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], {
    input: textOf(sample(), PROMETHEUS_TYPE),
    encoding: 'utf8',
  })
  t.equal(status, 0, stdout + stderr)
})

function promtool(): string | false {
  const isThere = spawnSync('promtool', ['--version']).status === 0
  return isThere ? false : 'promtool is not there: apt-get install prometheus'
}
