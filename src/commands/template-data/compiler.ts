/**
 * The TypeScript compiler, asked what the site's expressions are. Gets the configuration file; leaves a
 * program over everything that it imports. Called by `check.ts` of this folder.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type ts from 'typescript'

export type TypeScript = typeof ts

/** This very copy of uwas, as the site's modules will import it: its typings, or its source in our own tests. */
const UWAS_TYPES = ['../../index.d.ts', '../../index.ts']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .filter((path) => existsSync(path))

/** The site's own compiler, else the one beside uwas; undefined where there is none, or one without this API. */
export function findCompiler(configFile: string): TypeScript | undefined {
  for (const from of [configFile, fileURLToPath(import.meta.url)]) {
    try {
      const found = createRequire(from)('typescript') as Partial<TypeScript>
      if (typeof found.createProgram === 'function') return found as TypeScript
    } catch {
      // Not here: the next place may have it.
    }
  }
  return undefined
}

/** The site as the compiler sees it: with its own tsconfig.json where it has one. */
export function createSiteProgram(compiler: TypeScript, configFile: string): ts.Program {
  const root = dirname(configFile)
  const options: ts.CompilerOptions = {
    target: compiler.ScriptTarget.ES2023,
    strict: true,
    skipLibCheck: true,
    ...ownOptions(compiler, root),
    module: compiler.ModuleKind.NodeNext,
    moduleResolution: compiler.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    paths: { uwas: UWAS_TYPES },
  }
  return compiler.createProgram([configFile], options)
}

function ownOptions(compiler: TypeScript, root: string): ts.CompilerOptions {
  const file = compiler.findConfigFile(root, compiler.sys.fileExists)
  if (file === undefined || file.includes(`${join('/', 'node_modules')}/`)) return {}
  const { config } = compiler.readConfigFile(file, compiler.sys.readFile)
  const { options } = compiler.parseJsonConfigFileContent(config ?? {}, compiler.sys, dirname(file))
  const { rootDir: _, outDir: __, composite: ___, incremental: ____, ...rest } = options
  return rest
}
