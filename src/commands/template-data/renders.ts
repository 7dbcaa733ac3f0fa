/**
 * Finds the calls of `render` in a site's modules: which template with which data. A function of the
 * site's own that hands its template's name on to `render` is followed to its callers.
 */
import type ts from 'typescript'
import type { TypeScript } from './compiler.ts'
import type { Value, Values } from './values.ts'

/** One template with the data that one place of the code gives it. */
export interface Rendering {
  readonly template: string
  /** What the template finds names in, the outermost first. */
  readonly contexts: readonly Value[]
  /** `views/post.ts:73`, by the path of the file. */
  readonly file: string
  readonly line: number
}

/** `render` of uwas, or a function that hands a name on to it. */
interface Renderer {
  readonly symbol: ts.Symbol
  /** Places of the template's name and of its data among the parameters. */
  readonly name: number
  readonly data: number
  /** What it gives every template besides. */
  readonly own: readonly Value[]
}

/** Functions that call functions that call `render`: further than this nobody is followed. */
const MAX_STEPS = 4

export function findRenderings(
  compiler: TypeScript,
  program: ts.Program,
  values: Values,
): Rendering[] {
  const checker = program.getTypeChecker()
  const files = program.getSourceFiles().filter((file) => isOfSite(program, file))
  const calls = files.flatMap((file) => callsIn(compiler, file))
  const found: Rendering[] = []
  let renderers = [renderOf(compiler, program)].filter((one) => one !== undefined)
  const seen = new Set(renderers.map(({ symbol }) => symbol))
  for (let step = 0; step < MAX_STEPS && renderers.length > 0; step++) {
    const next: Renderer[] = []
    for (const renderer of renderers) {
      for (const call of calls) {
        if (calledSymbol(compiler, checker, call) !== renderer.symbol) continue
        const result = readCall(compiler, checker, values, call, renderer)
        if (Array.isArray(result)) found.push(...result)
        else if (result !== undefined && !seen.has(result.symbol)) {
          seen.add(result.symbol)
          next.push(result)
        }
      }
    }
    renderers = next
  }
  return found
}

export function isOfSite(program: ts.Program, file: ts.SourceFile): boolean {
  return !file.isDeclarationFile && !program.isSourceFileFromExternalLibrary(file)
}

function renderOf(compiler: TypeScript, program: ts.Program): Renderer | undefined {
  const symbol = exportOfUwas(compiler, program, 'was/render', 'render')
  return symbol === undefined ? undefined : { symbol, name: 1, data: 2, own: [] }
}

/** What `module` of uwas exports as `name`, through the program's own view of 'uwas'. */
export function exportOfUwas(
  compiler: TypeScript,
  program: ts.Program,
  module: string,
  name: string,
): ts.Symbol | undefined {
  const checker = program.getTypeChecker()
  for (const file of program.getSourceFiles()) {
    if (!file.fileName.replace(/(?:\.d)?\.ts$/, '').endsWith(`/${module}`)) continue
    const exports = checker.getSymbolAtLocation(file)?.exports
    const symbol = exports?.get(compiler.escapeLeadingUnderscores(name))
    if (symbol !== undefined) return symbol
  }
  return undefined
}

export function callsIn(compiler: TypeScript, file: ts.SourceFile): ts.CallExpression[] {
  const calls: ts.CallExpression[] = []
  const visit = (node: ts.Node): void => {
    if (compiler.isCallExpression(node)) calls.push(node)
    compiler.forEachChild(node, visit)
  }
  visit(file)
  return calls
}

export function calledSymbol(
  compiler: TypeScript,
  checker: ts.TypeChecker,
  call: ts.CallExpression,
): ts.Symbol | undefined {
  const symbol = checker.getSymbolAtLocation(call.expression)
  if (symbol === undefined) return undefined
  return symbol.flags & compiler.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

/** The renderings of a call whose template is written there, or the function that takes it as a parameter. */
function readCall(
  compiler: TypeScript,
  checker: ts.TypeChecker,
  values: Values,
  call: ts.CallExpression,
  renderer: Renderer,
): Rendering[] | Renderer | undefined {
  const name = call.arguments[renderer.name]
  const data = call.arguments[renderer.data]
  if (name === undefined || data === undefined) return undefined
  const outer = parameterOf(compiler, checker, name)
  if (outer !== undefined) {
    const within = wrapperOf(compiler, checker, outer, data)
    if (within === undefined) return undefined
    const { symbol, data: at } = within
    const own = [...renderer.own, values.of(checker.getTypeAtLocation(data), false)]
    return { symbol, name: outer.parent.parameters.indexOf(outer), data: at, own }
  }
  const file = call.getSourceFile()
  const line = file.getLineAndCharacterOfPosition(call.getStart()).line + 1
  const contexts = [...renderer.own, values.of(checker.getTypeAtLocation(data))]
  return textsOf(checker.getTypeAtLocation(name)).map((template) => ({
    template,
    contexts,
    file: file.fileName,
    line,
  }))
}

type Parameter = ts.ParameterDeclaration & { readonly parent: ts.FunctionLikeDeclaration }

function parameterOf(
  compiler: TypeScript,
  checker: ts.TypeChecker,
  node: ts.Node,
): Parameter | undefined {
  if (!compiler.isIdentifier(node)) return undefined
  const declaration = checker.getSymbolAtLocation(node)?.valueDeclaration
  return declaration !== undefined && compiler.isParameter(declaration)
    ? (declaration as Parameter)
    : undefined
}

/** The function of `name`, and which of its parameters goes into `data`: as it is, or spread into it. */
function wrapperOf(
  compiler: TypeScript,
  checker: ts.TypeChecker,
  name: Parameter,
  data: ts.Expression,
): { symbol: ts.Symbol; data: number } | undefined {
  const symbol = symbolOfFunction(compiler, checker, name.parent)
  if (symbol === undefined) return undefined
  const sources = partsOf(compiler, checker, data).map((part) =>
    parameterOf(compiler, checker, part),
  )
  const at = name.parent.parameters.findIndex((one) => sources.includes(one as Parameter))
  return at < 0 ? undefined : { symbol, data: at }
}

function symbolOfFunction(
  compiler: TypeScript,
  checker: ts.TypeChecker,
  node: ts.FunctionLikeDeclaration,
): ts.Symbol | undefined {
  const named = compiler.isVariableDeclaration(node.parent) ? node.parent.name : node.name
  return named === undefined ? undefined : checker.getSymbolAtLocation(named)
}

/** The expression itself, or what is spread into the object that it is. */
function partsOf(
  compiler: TypeScript,
  checker: ts.TypeChecker,
  data: ts.Expression,
): ts.Expression[] {
  const declaration = compiler.isIdentifier(data)
    ? checker.getSymbolAtLocation(data)?.valueDeclaration
    : undefined
  const value =
    declaration !== undefined && compiler.isVariableDeclaration(declaration)
      ? (declaration.initializer ?? data)
      : data
  if (!compiler.isObjectLiteralExpression(value)) return [value]
  return value.properties.flatMap((property) =>
    compiler.isSpreadAssignment(property) ? [property.expression] : [],
  )
}

/** The texts that an expression of this type can be; none when it can be any text. */
export function textsOf(type: ts.Type): string[] {
  const types = type.isUnion() ? type.types : [type]
  return types.flatMap((one) => (one.isStringLiteral() ? [one.value] : []))
}
