/** uwas as people run it: `uwas serve DIR`, and `uwas serve` of a site. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Rival, type RivalContext, type Running, runPinned, withChildren } from './rival.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const SITE = fileURLToPath(new URL('../app/uwas.config.ts', import.meta.url))

export const uwas: Rival = uwasAt(ROOT)
/** The site of `app/`, as people run theirs. */
export const site: Rival = siteAt(ROOT)

/** A folder served by the uwas that is built in `root`. */
export function uwasAt(root: string, name = 'uwas'): Rival {
  return {
    name,
    missing: () => undefined,
    version: () => versionOf(root),
    start: (context) =>
      runSupervised(context, [...serve(root, context), context.dir], {
        XDG_CACHE_HOME: context.scratch,
      }),
  }
}

export function siteAt(root: string, name = 'uwas'): Rival {
  return {
    ...uwasAt(root, name),
    start: (context) =>
      runSupervised(context, [...serve(root, context), '--config', SITE], {
        BENCH_STATE: context.scratch,
        BENCH_FILES: context.files ?? '',
        DATABASE_URL: context.database?.url ?? '',
      }),
  }
}

/** The files of a folder with more settings. */
export function uwasConfigured(name: string, settings: (context: RivalContext) => object): Rival {
  return {
    ...uwas,
    name,
    async start(context) {
      const { scratch, dir } = context
      const file = join(scratch, 'uwas.config.mjs')
      const config = { static: dir, stateDir: join(scratch, 'state'), ...settings(context) }
      writeFileSync(file, `export default ${JSON.stringify(config, null, 2)}\n`)
      const running = await runSupervised(context, [...serve(ROOT, context), '--config', file])
      return { ...running, configuration: readFileSync(file, 'utf8') }
    },
  }
}

function serve(root: string, { port, cores }: RivalContext): string[] {
  const address = ['--host', '127.0.0.1', '--port', String(port)]
  const workers = cores.length > 1 ? ['--workers', String(cores.length)] : []
  return [process.execPath, join(root, 'dist/main.js'), 'serve', ...address, ...workers]
}

function versionOf(root: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return `${version}, Node ${process.versions.node}`
}

/** The supervisor and its worker: both count. */
async function runSupervised(...args: Parameters<typeof runPinned>): Promise<Running> {
  return withChildren(await runPinned(...args))
}
