/** uWebSockets.js alone: files by exact path from memory, two native calls an answer. */
import { fileURLToPath } from 'node:url'
import { type Rival, runPinned } from './rival.ts'

const SERVER = fileURLToPath(new URL('raw-uws-server.mjs', import.meta.url))

export const rawUws: Rival = {
  name: 'uWebSockets.js',
  isSingle: true,
  missing: () => undefined,
  version: () => `the build that uwas loads, Node ${process.versions.node}`,
  start: (context) =>
    runPinned(context, [
      process.execPath,
      SERVER,
      context.dir,
      String(context.port),
      JSON.stringify(context.headers),
    ]),
}
