/** The process of `type-stripper.ts`. Gets sources, leaves them without their types; ends with its parent. */
import typescript from '@swc/wasm-typescript'
import type { StripOrder, Stripped, StripResult } from './type-stripper.ts'

/** What `@swc/wasm-typescript` throws. */
interface Thrown {
  readonly message: string
  readonly snippet?: string
  readonly startLine?: number
  readonly startColumn?: number
}

process.on('message', ({ id, source, file }: StripOrder) => {
  const result: StripResult = { id, stripped: strip(source, file) }
  process.send?.(result, undefined, undefined, leaveAlone)
})

/** An answer that cannot be sent is nobody's: the parent was ended while it waited. */
function leaveAlone(error: Error | null): void {
  if (error !== null) process.exit()
}

function strip(source: string, file: string): Stripped {
  try {
    const options = { mode: 'strip-only', module: true, filename: file } as const
    return { code: typescript.transformSync(source, options).code }
  } catch (thrown) {
    const { message, snippet = '', startLine, startColumn = 0 } = thrown as Thrown
    const refusal = { message, excerpt: snippet.trimEnd() }
    if (startLine === undefined) return { refusal }
    return { refusal: { ...refusal, place: `${file}:${startLine}:${startColumn + 1}` } }
  }
}
