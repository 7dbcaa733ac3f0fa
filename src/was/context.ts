/**
 * The request that code runs for, without passing it along: for sites that say `requestContext: true`. One
 * store a request, kept by Node through promises and timers.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { createError } from '../core/errors.ts'
import type { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'

const store = new AsyncLocalStorage<Request>()

/**
 * The request of the view or middleware that this code was called from, also after `await`. Throws
 * UWAS_ERR_WAS_NO_CONTEXT outside of a request, and where the configuration does not say
 * `requestContext: true`: it costs every promise of the process a little.
 */
export function currentRequest(): Request {
  const req = store.getStore()
  if (req === undefined) throw createError('UWAS_ERR_WAS_NO_CONTEXT', {})
  return req
}

type Handler = (req: Request) => Reply | Promise<Reply>

/** For the dispatcher: `currentRequest()` is the request in all that `handler` calls. */
export function withContext(handler: Handler): Handler {
  return (req) => store.run(req, handler, req)
}
