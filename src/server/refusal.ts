/** The reply to a request that no view may see: its status in words. */
import { type Reply, text } from '../http/reply.ts'
import { reasonOf } from '../http/status.ts'

export function refusal(status: number): Reply {
  return text(`${status} ${reasonOf(status)}\n`, { status })
}
