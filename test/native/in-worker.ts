/** Run by addon.test.ts in a worker thread: maps workerData.file, posts what it saw. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadNative } from '../../src/native/load.ts'

const native = loadNative()
const { file } = workerData as { file: string }

function codeOf(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return (error as { code: string }).code
  }
}

const code = codeOf(() => native.mapFile(`${file}-missing`))
// Held by the listener until the thread ends.
const mapped = native.mapFile(file)
parentPort?.once('message', () => parentPort?.postMessage(mapped.byteLength))
parentPort?.postMessage({ kind: native.kind, text: Buffer.from(mapped).toString(), code })
