/** `npm run profile -- KIND [--scenario NAME | --config FILE] …`: one process of uwas under load, measured from inside or outside. See ../README.md. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { scenariosOf, whole } from '../commands/options.ts'
import { takeCores } from '../method/cores.ts'
import { missingLoad } from '../method/load.ts'
import { kinds } from './kinds/all.ts'
import type { Kind } from './kinds/kind.ts'
import { stemFor } from './report.ts'
import { DEMO, type Target } from './subject.ts'

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      scenario: { type: 'string' },
      config: { type: 'string' },
      path: { type: 'string', multiple: true, default: ['/'] },
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string' },
    },
  })
  const [name = '', ...more] = positionals
  const kind = kinds[name]
  if (kind === undefined || more.length > 0) throw new Error(usage(name))
  const target = targetOf(values)
  const seconds = whole(values.seconds, 'seconds')
  const connections =
    values.connections === undefined ? undefined : whole(values.connections, 'connections')
  const obstacle = missingLoad() ?? kind.missing?.()
  if (obstacle !== undefined) throw new Error(obstacle)
  const order = { target, seconds, connections, stem: stemFor(name, target.name) }
  for (const file of await kind.profile(order)) console.log(file)
}

function targetOf(values: {
  readonly scenario?: string | undefined
  readonly config?: string | undefined
  readonly path: readonly string[]
}): Target {
  const { scenario, config, path: paths } = values
  const wrong = paths.find((path) => !path.startsWith('/'))
  if (wrong !== undefined) throw new Error(`--path is ${wrong}; it has to start with a slash`)
  if (scenario !== undefined && config !== undefined) {
    throw new Error('--scenario and --config exclude each other')
  }
  if (config !== undefined) {
    if (!existsSync(config)) throw new Error(`there is no ${config}`)
    return { name: 'site', config: resolve(config), paths }
  }
  if (scenario === undefined || scenario === 'demo') return { name: 'demo', config: DEMO, paths }
  const [found] = scenariosOf([scenario])
  if (found === undefined || scenario === 'all') throw new Error('one scenario at a time')
  return { name: scenario, scenario: found }
}

function usage(name: string): string {
  const lines = Object.entries(kinds).map(
    ([one, { title }]: [string, Kind]) => `  ${one.padEnd(13)} ${title}`,
  )
  const wrong = name === '' ? 'which profile?' : `there is no profile ${name}.`
  return `${wrong} npm run profile -- KIND [--scenario NAME | --config FILE] [--path /URL]… [--seconds 5] [--connections N]
${lines.join('\n')}
Without a scenario it is the demo; npm run bench -- --list shows the others.`
}

try {
  // npm runs this in bench/: what people name is relative to where they are.
  process.chdir(process.env['INIT_CWD'] ?? '.')
  await main(takeCores(process.argv.slice(2)))
} catch (error) {
  console.error(`profile: ${(error as Error).message}`)
  process.exitCode = 2
}
