/** Turns what a view returned into a `Reply`: its own, or the web standard `Response`. */
import { createError } from '../core/errors.ts'
import { Reply } from '../http/reply.ts'
import type { ViewResult } from '../http/view.ts'

/** Fields that the server writes by itself, from the reply's framing. */
const FRAMING = new Set([
  'content-length',
  'content-type',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'date',
])

/** `route` names the view in the error when it returned neither (UWAS_ERR_WAS_NOT_A_REPLY, _RESPONSE_USED). */
export function replyOf(result: ViewResult, route: string): Reply {
  if (result instanceof Reply) return result
  if (result instanceof Response) return fromResponse(result, route)
  const value = result === undefined ? 'nothing' : `a value of type ${typeof result}`
  throw createError('UWAS_ERR_WAS_NOT_A_REPLY', { route, value })
}

/** The body is streamed as it comes; a Content-Length of its own is kept as the known length. */
function fromResponse(response: Response, route: string): Reply {
  if (response.bodyUsed || response.body?.locked) {
    throw createError('UWAS_ERR_WAS_RESPONSE_USED', { route })
  }
  const declared = response.headers.get('content-length')
  const length = declared !== null && /^\d+$/.test(declared) ? Number(declared) : null
  const reply = new Reply(
    response.status,
    response.headers.get('content-type'),
    response.body,
    length,
  )
  for (const [name, value] of response.headers) {
    if (!FRAMING.has(name)) reply.append(name, value)
  }
  return reply
}
