/**
 * Whether a process can be followed by another one: not where its end is taken for that of the service. What it knows of
 * its start comes in; the reason leaves. Asked by `uwas serve` at start.
 */
import { readFileSync } from 'node:fs'

export interface Surroundings {
  readonly pid: number
  /** Of its start: one whose parent has ended has another one later. */
  readonly ppid: number
  readonly env: NodeJS.ProcessEnv
  /** Whether sockets can be handed over. */
  readonly hasGate: boolean
  /** Process 1; undefined: not known. */
  readonly init: ProcessFacts | undefined
  /** Of itself. */
  readonly own: ProcessFacts | undefined
}

export interface ProcessFacts {
  readonly name: string
  /** Number of its session. */
  readonly session: number
}

/** Why it cannot be upgraded; null: it can. */
export function whyNoUpgrade(surroundings: Surroundings): string | null {
  const { env, hasGate, own } = surroundings
  if (!hasGate) return 'that needs Linux and the native addon'
  const { INVOCATION_ID: unit, NOTIFY_SOCKET: notify, SYSTEMD_EXEC_PID: started } = env
  if (unit !== undefined && notify !== undefined) return null
  if (isOfInit(surroundings))
    return 'its end would be that of its container, or have process 1 start another one: start a new one there'
  // systemd.exec(5): set for all services; NOTIFY_SOCKET only for those that may say which process is theirs.
  // A shell of somebody's has them from the service that it was opened by, and a session of its own.
  const isService = started === undefined || Number(started) === own?.session
  if (unit !== undefined && isService)
    return 'systemd would take its end for that of the service: say Type=notify in the unit'
  return null
}

/** Linux proc(5), stat. */
export function processFacts(pid: number): ProcessFacts | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const end = text.lastIndexOf(')')
    const fields = text.slice(end + 2).split(' ')
    return { name: text.slice(text.indexOf('(') + 1, end), session: Number(fields[3]) }
  } catch {
    return undefined
  }
}

/**
 * Whether it is process 1, or what that looks after: tini, `docker --init` and the like. One whose parent has ended (a
 * script, a shell) is a child of process 1, too, but has the session of that parent.
 */
function isOfInit({ pid, ppid, init, own }: Surroundings): boolean {
  // 0: of a container whose processes see those of others.
  if (pid === 1 || ppid === 0) return true
  if (ppid !== 1 || init?.name === 'systemd') return false
  return init === undefined || own === undefined || [init.session, pid].includes(own.session)
}
