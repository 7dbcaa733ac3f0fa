/**
 * Rate, errors and duration of requests by the template of their route, never by their path. Hears of each request by
 * the observer, in its own call: nothing is made for a request of a kind that was seen before. Made by `app.ts`.
 */
import type { ExchangeRecord } from '../exchange-record.ts'
import type { ExchangeListener } from '../observer.ts'
import type { CounterSeries, HistogramSeries, Metric, Registry } from './registry.ts'

const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const MAX_REQUEST_SERIES = 5000
const MAX_DURATION_SERIES = 2000
/** Templates that have numbers of their own; more than any site has. */
const MAX_ROUTES = 2000
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
])

/** One route and method. */
interface Numbers {
  readonly seconds: HistogramSeries
  readonly bytes: CounterSeries
  readonly cut: CounterSeries
  readonly byStatus: Map<number, CounterSeries>
}

export class HttpMetrics implements ExchangeListener {
  readonly needsTime = true
  readonly needsClient = false
  readonly fields: readonly string[] = []
  readonly #requests: Metric<CounterSeries>
  readonly #seconds: Metric<HistogramSeries>
  readonly #bytes: Metric<CounterSeries>
  readonly #cut: Metric<CounterSeries>
  readonly #byRoute: Map<string, Map<string, Numbers>>
  /** The kind of request before: many alike come one after the other. */
  readonly #last: { route: string; method: string; numbers: Numbers | null }

  constructor(registry: Registry) {
    this.#requests = registry.counter('uwas_http_requests_total', {
      help: 'Requests that were answered, by route, method and status; 499: the client went first, 444: cut without an answer.',
      labels: ['route', 'method', 'status'],
      maxSeries: MAX_REQUEST_SERIES,
    })
    this.#seconds = registry.histogram('uwas_http_request_duration_seconds', {
      help: 'From the head of a request to the last byte of its answer.',
      labels: ['route', 'method'],
      bounds: BOUNDS,
      maxSeries: MAX_DURATION_SERIES,
    })
    this.#bytes = registry.counter('uwas_http_response_bytes_total', {
      help: 'Bytes of content that were handed over.',
      labels: ['route'],
    })
    this.#cut = registry.counter('uwas_http_responses_cut_total', {
      help: 'Answers that have ended before their last byte: the client went, or the connection was cut.',
      labels: ['route'],
    })
    this.#byRoute = new Map()
    this.#last = { route: '', method: '', numbers: null }
  }

  ended(record: ExchangeRecord): void {
    const route = routeOf(record)
    const { method, status } = record
    const last = this.#last
    let { numbers } = last
    if (numbers === null || last.route !== route || last.method !== method) {
      numbers = this.#byRoute.get(route)?.get(method) ?? this.#numbersOf(route, method)
      last.route = route
      last.method = method
      last.numbers = numbers
    }
    const count = numbers.byStatus.get(status) ?? this.#countOf(numbers, route, method, status)
    count.add()
    numbers.bytes.add(record.bodyBytes)
    numbers.seconds.observe(record.durationMs / 1000)
    if (!record.isWhole) numbers.cut.add()
  }

  #numbersOf(route: string, method: string): Numbers {
    if (!METHODS.has(method)) {
      return this.#byRoute.get(route)?.get('other') ?? this.#make(route, 'other')
    }
    return this.#make(route, method)
  }

  #make(route: string, method: string): Numbers {
    const made: Numbers = {
      seconds: this.#seconds.at(route, method),
      bytes: this.#bytes.at(route),
      cut: this.#cut.at(route),
      byStatus: new Map(),
    }
    let byMethod = this.#byRoute.get(route)
    if (byMethod === undefined) {
      byMethod = new Map()
      if (this.#byRoute.size < MAX_ROUTES) this.#byRoute.set(route, byMethod)
    }
    byMethod.set(method, made)
    return made
  }

  #countOf(numbers: Numbers, route: string, method: string, status: number): CounterSeries {
    const known = METHODS.has(method) ? method : 'other'
    const count = this.#requests.at(route, known, String(status))
    numbers.byStatus.set(status, count)
    return count
  }
}

/** A few fixed words stand for what no route has answered. */
function routeOf({ answerer, route }: ExchangeRecord): string {
  if (route !== '') return route
  switch (answerer) {
    case 'static':
      return 'static'
    case 'page':
    case 'view':
      return 'none'
    case 'server':
      return 'refused'
  }
}
