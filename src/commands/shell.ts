/**
 * `uwas shell`: JavaScript with the site at hand: its database, statements, tables, templates and URLs. Gets
 * the flags, and code from `--code`, standard input or a terminal; leaves the exit code. Called by `cli.ts`.
 */
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { openBackends } from '../app.ts'
import { exitOnSignals } from './lifecycle.ts'
import { createCommandLog } from './log.ts'
import { runLines, runScript, shown } from './shell/run.ts'
import { openScope } from './shell/scope.ts'
import { loadSite, type SiteFlags } from './site.ts'

export interface ShellFlags extends SiteFlags {
  /** Run in place of lines from a terminal. */
  readonly code?: string | undefined
}

/** Nothing is migrated, and no statement has to be right: the shell is where one looks why. */
export async function shellCommand(flags: ShellFlags): Promise<number> {
  const log = createCommandLog()
  const config = await loadSite(flags)
  exitOnSignals()
  const backends = await openBackends({ ...config, files: { ...config.files, watch: 'off' } }, log)
  try {
    const scope = await openScope(config, backends, log)
    try {
      if (flags.code === undefined && process.stdin.isTTY) {
        log.info(`names: ${Object.keys(scope.names).join(', ')}; .exit or Ctrl-D leaves`)
        await runLines(scope.names, join(config.stateDir, 'shell-history'))
        return 0
      }
      const value = await runScript(flags.code ?? (await text(process.stdin)), scope.names)
      const output = shown(value, process.stdout.isTTY)
      if (output !== undefined) process.stdout.write(`${output}\n`)
      return 0
    } catch (error) {
      log.error('the code failed', error)
      return 1
    } finally {
      await scope.close()
    }
  } finally {
    await backends.close()
  }
}
