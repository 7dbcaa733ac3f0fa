/** An exchange that does not end at once: its request, the request's body and the log hear what becomes of it. */
import type { Log } from '../core/log.ts'
import { failureOf } from '../core/trace.ts'
import type { Request } from '../http/request.ts'
import { namesOf } from '../http/request-names.ts'
import type { Exchange } from './exchange.ts'
import type { NativeBody } from './native-body.ts'

export function linkRequest(
  exchange: Exchange,
  request: Request,
  body: NativeBody | null,
  log: Log,
): void {
  exchange.upload = body
  const { onAbort } = exchange
  const onDone = exchange.onDone as (() => void) | null
  exchange.onAbort = () => {
    onAbort?.()
    request.markAborted()
    body?.abort()
  }
  exchange.onDone = () => {
    onDone?.()
    body?.abort()
    request.markDone()
  }
  exchange.onError = (error) => {
    if (request.trace !== null) request.trace.failure ??= failureOf(error)
    const what = `${request.method} ${request.path} (${namesOf(request)})`
    log.error(`${what} failed while it was answered`, error)
  }
}
