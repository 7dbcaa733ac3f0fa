import t from 'tap'
import { Mirror, Reporter } from '../../../src/observe/metrics/report.ts'
import {
  beginMetricGeneration,
  counter,
  gauge,
  histogram,
  siteMetrics,
} from '../../../src/observe/metrics/site-metrics.ts'
import { PROMETHEUS_TYPE, writeMetrics } from '../../../src/observe/metrics/text.ts'

t.beforeEach(() => beginMetricGeneration())

function told(): string {
  const mirror = new Mirror()
  mirror.take(new Reporter(siteMetrics()).report())
  return writeMetrics(mirror.samples(), PROMETHEUS_TYPE).replace(/^#.*\n/gm, '')
}

t.test('a site counts what it likes', async (t) => {
  const orders = counter('shop_orders_total', { help: 'Orders.', labels: ['kind'] })
  const queue = gauge('shop_queue_length', { help: 'Mails that wait.' })
  const sizes = histogram('shop_upload_bytes', { help: 'Uploads.', buckets: [10, 100] })
  const plain = counter('shop_visits_total', { help: 'Visits.' })
  orders.add({ kind: 'book' })
  orders.add({ kind: 'book' }, 2)
  queue.set(5)
  queue.add(-2)
  sizes.observe(50)
  plain.add()
  t.equal(
    told(),
    `shop_orders_total{kind="book"} 3
shop_queue_length 3
shop_upload_bytes_bucket{le="10"} 0
shop_upload_bytes_bucket{le="100"} 1
shop_upload_bytes_bucket{le="+Inf"} 1
shop_upload_bytes_sum 50
shop_upload_bytes_count 1
shop_visits_total 1
`,
  )
})

t.test('what is declared twice alike is one metric', async (t) => {
  const declare = () => counter('shop_twice_total', { help: 'Twice.' })
  declare().add()
  declare().add()
  t.equal(told(), 'shop_twice_total 2\n')
})

t.test('a declaration that is wrong says what is', async (t) => {
  const help = 'H.'
  const cases: [() => unknown, string][] = [
    [
      () => counter('shop-x_total', { help }),
      'metric "shop-x_total": letters, digits and _ make a name',
    ],
    [
      () => counter('shop_x', { help }),
      'metric "shop_x": the name of a counter ends with _total: shop_x_total',
    ],
    [
      () => gauge('shop_x_total', { help }),
      'metric "shop_x_total": the name of a gauge must not end with _total',
    ],
    [
      () => histogram('shop_x_count', { help }),
      'metric "shop_x_count": the name of a histogram must not end with _count',
    ],
    [
      () => counter('uwas_x_total', { help }),
      'metric "uwas_x_total": names that begin with uwas_ are those of uwas',
    ],
    [
      () => counter('shop_x_total', { help: ' ' }),
      'metric "shop_x_total": it needs a help: what it counts, in a sentence',
    ],
    [
      () => counter('shop_x_total', { help, labels: ['le'] }),
      'metric "shop_x_total": "le" cannot be a label; letters, digits and _ make one',
    ],
    [
      () => counter('shop_x_total', { help, labels: ['a', 'a'] }),
      'metric "shop_x_total": a label is named twice',
    ],
    [
      () => counter('shop_x_total', { help, maxSeries: 0 }),
      'metric "shop_x_total": maxSeries is 0; it has to be a whole number from 1 to 10000',
    ],
    [
      () => counter('shop_x_total', { help, label: ['a'] } as never),
      'metric "shop_x_total": no option "label"; did you mean "labels"?',
    ],
    [
      () => gauge('shop_x', { help, merge: 'min' as 'max' }),
      'metric "shop_x": merge is "min"; it has to be "sum" or "max"',
    ],
    [
      () => histogram('shop_x', { help, buckets: [2, 1] }),
      'metric "shop_x": its buckets have to be 1 to 100 numbers, each larger than the one before',
    ],
    [
      () => histogram('shop_x', { help, buckets: [] }),
      'metric "shop_x": its buckets have to be 1 to 100 numbers, each larger than the one before',
    ],
  ]
  for (const [declare, message] of cases) {
    t.throws(declare, { code: 'UWAS_ERR_OBSERVE_METRIC', message }, message)
  }
  counter('shop_y_total', { help })
  t.throws(() => counter('shop_y_total', { help: 'Other.' }), {
    code: 'UWAS_ERR_OBSERVE_METRIC',
    message:
      'metric "shop_y_total": the name is declared twice, differently; every metric needs its own',
  })
})

t.test('a number that cannot be counted says so, and counts nothing', async (t) => {
  const orders = counter('shop_orders_total', { help: 'Orders.', labels: ['kind'] })
  const size = gauge('shop_size', { help: 'Size.' })
  const cases: [() => void, string][] = [
    [
      () => orders.add({ kind: 'a' }, -1),
      'metric "shop_orders_total": -1 is less than 0; a counter only goes up',
    ],
    [
      () => orders.add({ kind: 'a' }, Number.NaN),
      'metric "shop_orders_total": NaN is no number that can be counted',
    ],
    [() => orders.add({} as never), 'metric "shop_orders_total": the label "kind" is missing'],
    [
      () => orders.add({ kind: 'a', knd: 1 } as never),
      'metric "shop_orders_total": the label "knd" is not declared; did you mean "kind"?',
    ],
    [
      () => size.set(Number.POSITIVE_INFINITY),
      'metric "shop_size": Infinity is no number that can be counted',
    ],
    [() => size.set(undefined as never), 'metric "shop_size": it needs a number'],
    [() => size.set('1' as never), 'metric "shop_size": 1 is no number that can be counted'],
  ]
  for (const [count, message] of cases) {
    t.throws(count, { code: 'UWAS_ERR_OBSERVE_VALUE', message }, message)
  }
  t.equal(told(), 'shop_size 0\n')
})
