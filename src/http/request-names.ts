/** How the log of the process names a request, so that it is found again in other logs and in traces. */
import type { Request } from './request.ts'

/** `request 019a…`, and its trace where it belongs to one: `request 019a…, trace 4bf9…` */
export function namesOf({ id, trace }: Pick<Request, 'id' | 'trace'>): string {
  const context = trace?.context ?? null
  return context === null ? `request ${id}` : `request ${id}, trace ${context.traceId}`
}
