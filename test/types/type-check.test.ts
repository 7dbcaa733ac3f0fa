import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

const folder = dirname(fileURLToPath(import.meta.url))

/** Compiler messages of this folder's files as `file:line message`, with `extra` files beside them. */
function check(extra: Record<string, string> = {}): string[] {
  const read = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile)
  const config = ts.parseJsonConfigFileContent(read.config, ts.sys, folder)
  const host = ts.createCompilerHost(config.options)
  const readFile = host.readFile
  host.readFile = (file) => extra[file] ?? readFile(file)
  const files = [...config.fileNames, ...Object.keys(extra)]
  host.fileExists = (file) => file in extra || ts.sys.fileExists(file)
  const program = ts.createProgram(files, { ...config.options, noEmit: true }, host)
  return files.flatMap((file) => {
    const source = program.getSourceFile(file)
    if (source === undefined) return [`${file} was not read`]
    const found = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ]
    return found.map(({ start = 0, messageText }) => {
      const { line } = source.getLineAndCharacterOfPosition(start)
      return `${file.slice(folder.length + 1)}:${line + 1} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
  })
}

t.test('the compiler accepts and refuses what the type tests say', { timeout: 120_000 }, (t) => {
  t.strictSame(check(), [])
  t.end()
})

t.test('a wrong link in a site is reported where it stands', { timeout: 120_000 }, (t) => {
  const messages = check({
    [join(folder, 'extra.ts')]: `
      import { url } from './circle/urls.ts'
      export const link = url('psot', { id: 7 })`,
  })
  t.strictSame(messages, [
    `extra.ts:3 Argument of type '"psot"' is not assignable to parameter of type '"post" | "home"'.`,
  ])
  t.end()
})
