/** Says that a server is about to stop, while it serves on: provided when it is told to, read by `health.ts`. */
import type { ServiceKey } from '../../core/services.ts'

export const LEAVING: ServiceKey<true> = {
  name: 'the word of a server that is about to stop',
  hint: 'it is there only then: ask with find',
}
