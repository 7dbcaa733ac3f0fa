/** The kinds of profiles by their names, in the order of the help. */
import { bubbleprof } from './bubbleprof.ts'
import { cpu, flame } from './cpu.ts'
import { doctor } from './doctor.ts'
import { heap } from './heap.ts'
import { instructions } from './instructions.ts'
import type { Kind } from './kind.ts'
import { perf } from './perf.ts'
import { syscalls } from './syscalls.ts'
import { withClinic } from './with-clinic.ts'

export const kinds: Readonly<Record<string, Kind>> = {
  flame: withClinic('flame', flame),
  cpu,
  perf,
  heap: withClinic('heapprofiler', heap),
  doctor: withClinic('doctor', doctor),
  bubbleprof: withClinic('bubbleprof', bubbleprof),
  syscalls,
  instructions,
}
