/** Who hears of every answered request: traces, the access log, metrics. Backends come in, what `server/` tells leaves; called by `app.ts`. */
import type { App, Backends } from '../app.ts'
import { HttpMetrics } from '../observe/metrics/http-metrics.ts'
import { type ExchangeListener, observerOf } from '../observe/observer.ts'

type Observed = Pick<Backends, 'traces' | 'tracer' | 'metrics' | 'logs'>

export function observingOf(backends: Observed): Pick<App, 'traces' | 'tracer' | 'observer'> {
  const { traces, tracer } = backends
  return { traces, tracer, observer: observerOf(listenersOf(backends)) }
}

function listenersOf({ metrics, logs, tracer }: Observed): ExchangeListener[] {
  const counting = metrics === null ? [] : [new HttpMetrics(metrics)]
  // First: it gives a cached page its trace, which the access log names.
  return [...(tracer === null ? [] : [tracer]), ...logs.open(), ...counting]
}
