/** Bun with static routes; `views.ts` takes it too. Its binary comes with `npm ci` in this folder, inside a package a platform. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Rival, runPinned } from './rival.ts'

const PACKAGES = fileURLToPath(new URL('../node_modules/@oven/', import.meta.url))
const PLACEHOLDER_BYTES = 1024 * 1024
const SERVER = fileURLToPath(new URL('bun-server.mjs', import.meta.url))

export const bun: Rival = {
  name: 'Bun',
  isSingle: true,
  cannotSet: ['date', '+content-type'],
  missing: () =>
    bunBinary() === undefined ? 'bun is not installed: npm --prefix bench ci' : undefined,
  version: () => execFileSync(bunBinary() as string, ['--version'], { encoding: 'utf8' }).trim(),
  start(context) {
    const { dir, port, headers, closes } = context
    // Bun closes without saying so: wrk would take each end for a broken connection.
    const fields = closes ? [...headers, ['Connection', 'close']] : headers
    const command = [bunBinary() as string, SERVER, dir, String(port), JSON.stringify(fields)]
    return runPinned(context, command)
  },
}

/**
 * The platform's binary: where npm unpacks it or, when bun's install script has run, where that moves
 * it. Before that, a short placeholder has that name.
 */
export function bunBinary(): string | undefined {
  if (!existsSync(PACKAGES)) return undefined
  return [
    ...readdirSync(PACKAGES).map((name) => join(PACKAGES, name, 'bin/bun')),
    join(PACKAGES, '../bun/bin/bun.exe'),
  ].find((path) => existsSync(path) && statSync(path).size > PLACEHOLDER_BYTES)
}
