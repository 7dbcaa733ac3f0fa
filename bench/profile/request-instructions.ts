/**
 * Instructions that a request takes in the whole server, by callgrind: one number for V8, engine, addon and our own code,
 * the kernel's left out. It is the same at each start within half a hundredth, whatever else the machine does, so it shows a
 * change that no clock here can. Read by `compare --instructions` and by the check of counts.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askInTurn } from '../method/ask-in-turn.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { type Target, withServer } from './subject.ts'

/** Enough that V8 has compiled what it will compile; the collector of its feedback is slow to come to rest. */
const WARM_REQUESTS = 60_000
const REQUESTS = 5000
const TIMES = 3

/** `root`: of the build. Throws what callgrind says when it cannot, and for scenarios of more than one request. */
export async function requestInstructions(target: Target, root?: string): Promise<number> {
  const { paths, closes, pipelined }: Pick<Scenario, 'paths' | 'closes' | 'pipelined'> =
    'scenario' in target ? target.scenario : target
  if (paths.length > 1 || closes === true || pipelined !== undefined) {
    throw new Error(
      `${target.name}: instructions are counted of one request that is asked again and again`,
    )
  }
  const scratch = mkdtempSync(join(tmpdir(), 'uwas-callgrind-'))
  const out = join(scratch, 'out')
  const tool = [
    'valgrind',
    '--tool=callgrind',
    // V8 writes code, and writes over it.
    '--smc-check=all-non-file',
    '--instr-atstart=no',
    `--callgrind-out-file=${out}`,
  ]
  try {
    const options = {
      ...(root !== undefined && { root }),
      // V8's own threads would run when they like.
      nodeFlags: ['--single-threaded'],
      wrap: (command: readonly string[]) => [...tool, ...command],
    }
    return await withServer(target, options, async ({ pid, origin, request }) => {
      await askInTurn(origin, request, WARM_REQUESTS)
      control(pid, '-i', 'on')
      const counts: number[] = []
      for (let i = 0; i < TIMES; i++) {
        control(pid, '-z')
        await askInTurn(origin, request, REQUESTS)
        control(pid, '-d')
        counts.push(totalOf(scratch, i + 1) / REQUESTS)
      }
      // What else the process does in that time can only add.
      return Math.round(Math.min(...counts))
    })
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** callgrind_control(1): resolves when the process has done it. */
function control(pid: number, ...args: string[]): void {
  execFileSync('callgrind_control', [...args, String(pid)], { stdio: 'pipe' })
}

/** Dumps are numbered from 1. */
function totalOf(dir: string, number: number): number {
  const name = readdirSync(dir).find((one) => one.endsWith(`.${number}`))
  const text = name === undefined ? '' : readFileSync(join(dir, name), 'utf8')
  const [, total] = /^(?:totals|summary): (\d+)/m.exec(text) ?? []
  if (total === undefined) throw new Error(`callgrind has left no dump ${number}`)
  return Number(total)
}
