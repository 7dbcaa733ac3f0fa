/**
 * Finds the templates that `listView`, `detailView` and `formView` are made with. What they give them besides
 * their options comes from tables and forms, so any name counts as known. Called by `check.ts`.
 */
import type ts from 'typescript'
import type { TypeScript } from './compiler.ts'
import {
  calledSymbol,
  callsIn,
  exportOfUwas,
  isOfSite,
  type Rendering,
  textsOf,
} from './renders.ts'

const VIEWS = ['listView', 'detailView', 'formView']

export function findGenericViews(compiler: TypeScript, program: ts.Program): Rendering[] {
  const checker = program.getTypeChecker()
  const symbols = VIEWS.map((name) => exportOfUwas(compiler, program, 'was/views/generic', name))
  const views = new Set(symbols.filter((symbol) => symbol !== undefined))
  if (views.size === 0) return []
  return program
    .getSourceFiles()
    .filter((file) => isOfSite(program, file))
    .flatMap((file) => callsIn(compiler, file))
    .flatMap((call) => {
      const symbol = calledSymbol(compiler, checker, call)
      if (symbol === undefined || !views.has(symbol)) return []
      const name = templateOf(compiler, call)
      if (name === undefined) return []
      const file = name.getSourceFile()
      const line = file.getLineAndCharacterOfPosition(name.getStart()).line + 1
      const contexts = ['any'] as const
      return textsOf(checker.getTypeAtLocation(name)).map((template) => ({
        template,
        contexts,
        file: file.fileName,
        line,
      }))
    })
}

/** What stands behind `template:` in the options; undefined where they are made elsewhere. */
function templateOf(compiler: TypeScript, call: ts.CallExpression): ts.Expression | undefined {
  const [options] = call.arguments
  if (options === undefined || !compiler.isObjectLiteralExpression(options)) return undefined
  for (const property of options.properties) {
    if (!compiler.isPropertyAssignment(property)) continue
    if (property.name.getText() === 'template') return property.initializer
  }
  return undefined
}
