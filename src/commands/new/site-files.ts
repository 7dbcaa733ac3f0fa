/** What a new site has besides TypeScript, by path. Read by `../new.ts`. */

/** `name` is that of its package. */
export function siteFiles(name: string): Record<string, string> {
  return { ...PAGES, 'package.json': packageJson(name), 'README.md': readme(name) }
}

const PAGES: Readonly<Record<string, string>> = {
  'templates/layout.mustache': `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{$title}}Notes{{/title}}</title>
<link rel="stylesheet" href="{{#static}}site.css{{/static}}">
</head>
<body>
{{$content}}{{/content}}
</body>
</html>
`,
  'templates/notes.mustache': `{{<layout}}
{{$content}}
<h1>Notes</h1>
<form method="post"><input name="body" aria-label="New note" required> <button>Add</button></form>
<ul>
{{#notes}}
<li>{{body}} <form method="post" action="{{#url}}remove id{{/url}}"><button>Remove</button></form></li>
{{/notes}}
{{^notes}}
<li>None yet.</li>
{{/notes}}
</ul>
{{/content}}
{{/layout}}
`,
  'templates/errors/error.mustache': `{{<layout}}
{{$title}}{{status}} {{reason}}{{/title}}
{{$content}}
<h1>{{reason}}</h1>
<p>{{message}}</p>
<p><a href="{{#url}}notes{{/url}}">To the notes</a> · <small>{{requestId}}</small></p>
{{/content}}
{{/layout}}
`,
  'static/site.css': `:root { color-scheme: light dark }
body { font: 18px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
input, button { font: inherit }
li form { display: inline }
`,
  'migrations/0001_notes.sql': `create table notes (
  id bigint generated always as identity primary key,
  body text not null check (body <> '')
);
`,
  'migrations/0001_notes.down.sql': 'drop table notes;\n',
  'tsconfig.json': `${JSON.stringify(
    {
      compilerOptions: {
        target: 'es2023',
        module: 'nodenext',
        types: ['node'],
        strict: true,
        noUncheckedIndexedAccess: true,
        exactOptionalPropertyTypes: true,
        verbatimModuleSyntax: true,
        erasableSyntaxOnly: true,
        allowImportingTsExtensions: true,
        noEmit: true,
        skipLibCheck: true,
      },
    },
    null,
    2,
  )}\n`,
  '.gitignore': 'node_modules/\n.uwas/\nbuild/\n.env\n',
}

function packageJson(name: string): string {
  const manifest = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    scripts: {
      dev: 'uwas dev',
      start: 'uwas serve',
      check: 'tsc && uwas check',
      test: 'node --import tsx --test "test/*.test.ts"',
    },
    devDependencies: { '@types/node': '^20.19.43', tsx: '^4.23.15', typescript: '~6.0' },
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

function readme(name: string): string {
  return `# ${name}

A site on uwas: a notebook, to be replaced by yours.

    uwas dev                        http://localhost:8080, follows every change
    uwas migrate && uwas check      proves everything before a deployment
    DATABASE_URL=postgres://… PORT=80 uwas serve

Without \`DATABASE_URL\` it has a PostgreSQL of its own below \`.uwas/\`.

| where | what |
| --- | --- |
| \`urls.ts\` | which view answers which URL |
| \`views/\` \`models/\` \`templates/\` | what it does, its SQL, its pages |
| \`static/\` | files, below \`/static\` |
| \`migrations/\` | the schema, step by step |

The site runs as it stands. For types in an editor, and for the tests:

    npm install && npm link uwas && npm test
`
}
