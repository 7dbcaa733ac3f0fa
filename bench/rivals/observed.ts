/** uwas with what an operator wants to know of it, each beside uwas that tells nothing; nginx with its log beside nginx without. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nginxLogging } from './nginx.ts'
import type { Rival } from './rival.ts'
import { configuredUwas, uwas } from './uwas.ts'

export const observedRivals: readonly Rival[] = [
  uwas,
  observed('uwas, combined log', (scratch) => ({
    accessLog: { file: join(scratch, 'access.log') },
  })),
  observed('uwas, JSON log', (scratch) => ({
    accessLog: { file: join(scratch, 'access.log'), format: 'json' },
  })),
  observed('uwas, metrics', () => ({ status: { listen: '127.0.0.1:0' } })),
  ...nginxLogging,
]

function observed(name: string, settings: (scratch: string) => object): Rival {
  return configuredUwas(name, ({ scratch, dir }) => {
    const file = join(scratch, 'uwas.config.mjs')
    const config = { static: dir, stateDir: join(scratch, 'state'), ...settings(scratch) }
    writeFileSync(file, `export default ${JSON.stringify(config, null, 2)}\n`)
    return file
  })
}
