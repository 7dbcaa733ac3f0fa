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
  /** Clock ticks since the machine has started, of which there are a hundred a second. */
  readonly startedAt: number
}

/** Within so much of its own start a process 1 that looks after one process has started that. */
const WITH_INIT_TICKS = 300

/** Why it cannot be upgraded; null: it can. */
export function whyNoUpgrade(surroundings: Surroundings): string | null {
  const { env, hasGate, own } = surroundings
  if (!hasGate) return 'that needs Linux and the native addon: stop it and start it again'
  const { INVOCATION_ID: unit, NOTIFY_SOCKET: notify, SYSTEMD_EXEC_PID: started } = env
  if (unit !== undefined && notify !== undefined) return null
  if (isOfInit(surroundings))
    return 'its end would be that of its container: have another container take its place, or "uwas reload" for code and configuration'
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
    return {
      name: text.slice(text.indexOf('(') + 1, end),
      session: Number(fields[3]),
      startedAt: Number(fields[19]),
    }
  } catch {
    return undefined
  }
}

/**
 * Whether it is process 1, or what that looks after. One whose parent has ended (a shell, setsid, a script) is a child of
 * process 1, too; but what tini, `docker --init` or a script have started has their session, and what dumb-init has
 * started, with a session of its own, is as old as that.
 */
function isOfInit({ pid, ppid, init, own }: Surroundings): boolean {
  // 0: started from outside of what it sees, as Kubernetes does it where the processes of a pod see each other.
  if (pid === 1 || ppid === 0) return true
  if (ppid !== 1 || init?.name === 'systemd') return false
  if (init === undefined || own === undefined || own.session === init.session) return true
  return own.session === pid && own.startedAt - init.startedAt <= WITH_INIT_TICKS
}
