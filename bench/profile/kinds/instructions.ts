/** `instructions`: of the addon's own code, counted by callgrind: the same at each run, whatever else the machine does. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../../method/builds.ts'
import { write } from '../../report/result.ts'
import { type Part, publish } from '../report.ts'
import { count, type Kind, type Order } from './kind.ts'

export const NATIVE_CASES = {
  'head-of-a-tool': 'the gate judges what curl sends',
  'head-of-a-browser': 'the gate judges what a browser sends',
  'odd-head': 'the gate finds Transfer-Encoding',
  'map-file': 'a file is opened, mapped and unmapped',
} as const
export type NativeCase = keyof typeof NATIVE_CASES

const SOURCE = fileURLToPath(new URL('../native/counts.cc', import.meta.url))
const CORE = ['error', 'file', 'head', 'map_file'].map((name) =>
  join(ROOT, `native/core/${name}.cc`),
)
const FEW = 100
const MANY = 1100

export const instructions: Kind = {
  title: 'instructions of the addon’s own code, by callgrind',
  missing: missingCallgrind,
  profile: profileInstructions,
}

export function missingCallgrind(): string | undefined {
  if (process.platform !== 'linux') return 'the gate is for Linux'
  if (spawnSync('valgrind', ['--version']).error !== undefined) {
    return 'valgrind is not here: apt-get install valgrind'
  }
  return spawnSync('c++', ['--version']).error === undefined
    ? undefined
    : 'there is no C++ compiler: apt-get install g++'
}

async function profileInstructions({ stem }: Order): Promise<readonly string[]> {
  const { counts, hottest } = countInstructions()
  const page = publish(
    {
      title: 'instructions of the addon',
      head: `callgrind of native/core, the difference of ${MANY} and ${FEW} times; no load, no kernel`,
      parts: [tableOf(counts)],
    },
    stem,
  )
  return [page, write(`${stem}.callgrind.txt`, hottest)]
}

function tableOf(counts: Readonly<Record<NativeCase, number>>): Part {
  const rows = Object.entries(NATIVE_CASES).map(([name, title]) => [
    count(counts[name as NativeCase]),
    `${name}: ${title}`,
  ])
  return { title: 'Instructions', rows: [['once', 'what'], ...rows] }
}

export function countInstructions(): {
  readonly counts: Readonly<Record<NativeCase, number>>
  /** callgrind's own list of functions of the longest case. */
  readonly hottest: string
} {
  const scratch = mkdtempSync(join(tmpdir(), 'uwas-callgrind-'))
  try {
    const binary = join(scratch, 'counts')
    const flags = ['-std=c++20', '-O3', '-DNDEBUG', '-g', '-fno-exceptions', '-fno-rtti']
    execFileSync('c++', [...flags, '-o', binary, SOURCE, ...CORE])
    const file = join(scratch, 'file')
    writeFileSync(file, Buffer.alloc(1024, 'x'))
    const collect = (name: string, times: number): number => {
      const out = join(scratch, `${name}.${times}`)
      const tool = ['--tool=callgrind', `--callgrind-out-file=${out}`]
      const command = [...tool, binary, name, String(times), file]
      const { status, stderr } = spawnSync('valgrind', command, { encoding: 'utf8' })
      const [, collected] = /Collected : (\d+)/.exec(stderr) ?? []
      if (status !== 0 || collected === undefined) throw new Error(`callgrind: ${stderr.trim()}`)
      return Number(collected)
    }
    const counts = Object.fromEntries(
      Object.keys(NATIVE_CASES).map((name) => [
        name,
        Math.round((collect(name, MANY) - collect(name, FEW)) / (MANY - FEW)),
      ]),
    ) as Record<NativeCase, number>
    const hottest = execFileSync(
      'callgrind_annotate',
      [join(scratch, `head-of-a-browser.${MANY}`)],
      { encoding: 'utf8' },
    )
    return { counts, hottest }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
