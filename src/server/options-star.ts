/** The answer to `OPTIONS *`, which asks about the server as a whole (RFC 9110 section 9.3.7). Called by the lanes. */
import { empty } from '../http/reply.ts'
import type { EngineRequest, EngineResponse } from './engine-types.ts'
import { KNOWN_METHODS, refuseFields } from './fences.ts'
import type { NativeLane } from './native-lane.ts'
import { FieldScan } from './native-scan.ts'
import type { Field } from './strict-request.ts'

/** `fields` are those of `request` as they were sent. */
export function answerOptionsStar(
  lane: NativeLane,
  response: EngineResponse,
  request: EngineRequest,
  fields: readonly Field[],
): void {
  const scan = new FieldScan()
  const framing = fields.filter(([name]) => name !== 'transfer-encoding')
  scan.read({ forEach: (visit) => framing.forEach(([name, value]) => void visit(name, value)) })
  const refusal = refuseFields(scan, '')
  if (refusal !== 0) return lane.refuse(response, request, refusal)
  lane.reply(response, request, empty().append('Allow', [...KNOWN_METHODS].join(', ')))
}
