/** What all pages of the bench have in common: one file that needs nothing else, for light and dark, and where its figures come from. */
import { escapeText } from './chart.ts'
import type { Run } from './result.ts'
import { STYLE } from './style.ts'
import { headLine } from './table.ts'

/** `lines` are HTML. */
export function pageOf(run: Run, title: string, lines: readonly string[]): string {
  const doubts = (run.doubts ?? []).map((line) => `<p><strong>${escapeText(line)}.</strong></p>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}, ${run.at.slice(0, 10)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeText(title)}</h1>
<p>${escapeText(headLine(run))}.</p>
${[...doubts, ...lines].join('\n')}
</main>
</body>
</html>
`
}

/** The first cell of a row names it. */
export function figuresTable(
  name: string,
  [head = [], ...rows]: readonly (readonly string[])[],
): string {
  const title = escapeText(`All figures of ${name}`)
  const line = (cells: readonly string[]): string =>
    `<tr>${cells.map((cell, i) => (i === 0 ? `<th scope="row">${escapeText(cell)}</th>` : `<td>${escapeText(cell)}</td>`)).join('')}</tr>`
  return `<details>
<summary>${title}</summary>
<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table>
<thead><tr>${head.map((cell) => `<th scope="col">${escapeText(cell)}</th>`).join('')}</tr></thead>
<tbody>${rows.map(line).join('\n')}</tbody>
</table></div>
</details>`
}

/** Commit, machine, versions, and what was not there. */
export function originOf({ machine: of, tools, commit, dirty, at, absent }: Run): string {
  const facts: Record<string, string> = {
    time: at,
    commit: dirty ? `${commit}, with changes` : commit,
    CPU: `${of.cpu}, ${of.cores} cores, ${of.virtualization}`,
    caches: of.caches.join(', '),
    governor: of.governor,
    memory: `${of.memoryMib.toLocaleString('en')} MiB`,
    kernel: of.kernel,
    ...tools,
  }
  const list = (all: Readonly<Record<string, string>>): string =>
    `<dl>${Object.entries(all)
      .map(([name, value]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd>`)
      .join('\n')}</dl>`
  const missing = absent.map((line) => `<p class="quiet">${escapeText(line)}</p>`)
  return `${list(facts)}
${missing.join('\n')}
<details><summary>Settings of the kernel</summary>${list(of.sysctls)}</details>`
}
