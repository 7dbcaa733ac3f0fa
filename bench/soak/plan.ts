/** What the options of `npm run bench -- soak` come to. Each throws an error that says what would do. */
import { parseArgs } from 'node:util'
import { whole } from '../commands/options.ts'
import { DISTURBANCES, type DisturbanceName } from './ledger.ts'

export interface SoakPlan {
  readonly minutes: number
  /** Requests a second, of all that the mix has. */
  readonly rate: number
  readonly workers: number
  /** In this order, again and again. */
  readonly disturbances: readonly DisturbanceName[]
  /** Seconds between two of them. */
  readonly pause: number
  /** Connections beside the load that are asked once in a few seconds. */
  readonly idle: number
}

const MOST_MINUTES = 7 * 24 * 60

export function soakPlan(args: string[]): SoakPlan {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '30' },
      rate: { type: 'string', default: '500' },
      workers: { type: 'string', default: '2' },
      disturb: { type: 'string', default: DISTURBANCES.join() },
      pause: { type: 'string', default: '12' },
      idle: { type: 'string', default: '0' },
    },
  })
  return {
    minutes: minutesOf(values.minutes),
    rate: whole(values.rate, 'rate', 20, 100_000),
    workers: whole(values.workers, 'workers', 1, 64),
    disturbances: disturbancesOf(values.disturb),
    pause: whole(values.pause, 'pause', 0, 3600),
    idle: whole(values.idle, 'idle', 0, 1_000_000),
  }
}

function minutesOf(text: string): number {
  const minutes = Number(text)
  if (minutes >= 0.1 && minutes <= MOST_MINUTES) return minutes
  throw new Error(`--minutes is ${text}; it has to be a number from 0.1 to ${MOST_MINUTES}`)
}

function disturbancesOf(text: string): DisturbanceName[] {
  if (text === 'none') return []
  return text.split(',').map((name) => {
    const known = DISTURBANCES.find((one) => one === name)
    if (known !== undefined) return known
    throw new Error(
      `--disturb has ${JSON.stringify(name)}; it takes ${DISTURBANCES.join(', ')}, by commas, or none`,
    )
  })
}

/** Why so many connections cannot be had here, or undefined. Beside them there are files, the load, and the database. */
export function missingDescriptors(idle: number, most: number): string | undefined {
  const needed = idle + 1000
  return needed <= most
    ? undefined
    : `--idle ${idle} takes ${needed} descriptors a process, and ${most} is the limit: raise it (ulimit -Hn)`
}
