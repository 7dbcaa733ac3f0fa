import t from 'tap'
import ts from 'typescript'
import { ROOT } from '../support/sources.ts'

/** The public surface. A change here is a change that users see: CHANGELOG names it. */
const PUBLIC: string[] = [
  'App',
  'AppOptions',
  'AtomicOptions',
  'BUILT_IN_CONVERTERS',
  'CompileOptions',
  'Render',
  'TemplateErrors',
  'escapeHtml',
  'Backends',
  'CodedError',
  'Converter',
  'CookieOptions',
  'DATABASE',
  'Database',
  'ERRORS',
  'ErrorCode',
  'FileOptions',
  'FileReply',
  'HeaderList',
  'HttpError',
  'IncludeEntry',
  'ListenOptions',
  'Log',
  'Method',
  'MethodViews',
  'Middleware',
  'Queryable',
  'ROOMS',
  'RecordedTrace',
  'Reply',
  'ReplyBody',
  'ReplyInit',
  'Request',
  'Reverse',
  'Rooms',
  'Route',
  'RouteEntry',
  'Server',
  'ServiceKey',
  'Services',
  'SiteConfig',
  'Socket',
  'SocketHandlers',
  'SocketMessage',
  'SocketOptions',
  'SocketRouteOptions',
  'Span',
  'Statement',
  'Step',
  'Templates',
  'Trace',
  'Transaction',
  'UrlConf',
  'Changes',
  'Column',
  'ColumnOptions',
  'column',
  'Insert',
  'Row',
  'ListOptions',
  'Order',
  'Page',
  'belongsTo',
  'hasMany',
  'preload',
  'Relation',
  'Table',
  'TableOptions',
  'table',
  'UserConfig',
  'View',
  'ViewResult',
  'atomic',
  'bytes',
  'compile',
  'constraintOf',
  'createApp',
  'createLog',
  'defineConfig',
  'empty',
  'file',
  'html',
  'include',
  'isCodedError',
  'json',
  'listen',
  'notFound',
  'openBackends',
  'parseConfig',
  'path',
  'pg',
  'recentTraces',
  'redirect',
  'render',
  'rooms',
  'socket',
  'sqlStateOf',
  'statement',
  'staticUrl',
  'stream',
  'text',
  'urlconf',
]

t.test('the public surface is this list, and every part of it has a docstring', async (t) => {
  const file = `${ROOT}src/index.ts`
  const config = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile).config
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT)
  const program = ts.createProgram([file], { ...options, noEmit: true })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file) as ts.SourceFile
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(source) as ts.Symbol)
  t.strictSame(exported.map(({ name }) => name).sort(), [...PUBLIC].sort())
  for (const symbol of exported) {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0
    const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol
    const isModule = (target.flags & ts.SymbolFlags.ValueModule) !== 0
    const text = isModule
      ? (target.declarations?.[0]?.getSourceFile().text ?? '').slice(0, 5)
      : ts.displayPartsToString(target.getDocumentationComment(checker))
    t.not(text, '', `${symbol.name} says what it is`)
  }
})
