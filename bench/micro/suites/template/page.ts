/** A real page of 8 KiB: 20 articles with their authors, a frame around them, one partial an article. */
import type { Sample } from '../template.ts'

interface Article {
  readonly id: number
  readonly title: string
  readonly summary: string
  readonly published: string
  readonly comments: number
  readonly author: { readonly name: string; readonly handle: string }
  readonly tags: readonly { readonly tag: string }[]
  readonly isNew: boolean
}

export interface PageData {
  readonly title: string
  readonly user: { readonly name: string } | null
  readonly articles: readonly Article[]
  readonly next: string
}

const HEADER = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{{title}}</title><link rel="stylesheet" href="/static/site.css"></head>
<body>
<header><a href="/">Home</a> {{#user}}<a href="/me">{{name}}</a>{{/user}}{{^user}}<a href="/login">Log in</a>{{/user}}</header>
<main>
<h1>{{title}}</h1>
`
const FOOTER = `</main>
<footer><a href="/about">About</a> <a href="/help">Help</a></footer>
</body>
</html>
`
const ARTICLE = `<article id="a{{id}}"{{#isNew}} class="new"{{/isNew}}>
<h2><a href="/articles/{{id}}">{{title}}</a></h2>
<p class="by">by <a href="/people/{{author.handle}}">{{author.name}}</a>, {{published}}</p>
<p>{{summary}}</p>
<p>{{#tags}}<a href="/tags/{{tag}}">{{tag}}</a> {{/tags}}{{comments}} comments</p>
</article>
`

export const PAGE: Sample<PageData> = {
  template: `{{>header}}{{#articles}}{{>article}}{{/articles}}<p><a href="{{next}}">More</a></p>\n{{>footer}}`,
  partials: { header: HEADER, article: ARTICLE, footer: FOOTER },
  data: {
    title: 'All the news',
    user: { name: 'Ada' },
    articles: Array.from({ length: 20 }, (_, i) => articleOf(i)),
    next: '/articles?after=20&by=date',
  },
}

function articleOf(i: number): Article {
  const tags = ['news', 'post & gres', 'web'].slice(0, i % 4).map((tag) => ({ tag }))
  return {
    id: 1000 + i,
    title: `Article number ${i}${i % 3 === 0 ? ': <b> & "c"' : ', about something'}`,
    summary: `What happened on day ${i} is told here in a few words, as long as such words are.`,
    published: `2026-11-${10 + (i % 20)}`,
    comments: i * 7,
    author: { name: i % 5 === 0 ? `O'Neill ${i}` : `Writer ${i}`, handle: `writer-${i}` },
    tags,
    isNew: i < 3,
  }
}

export function pageByHand(data: PageData, escaped: (text: string) => string): string {
  const title = escaped(data.title)
  let out = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title><link rel="stylesheet" href="/static/site.css"></head>
<body>
<header><a href="/">Home</a> ${data.user ? `<a href="/me">${escaped(data.user.name)}</a>` : '<a href="/login">Log in</a>'}</header>
<main>
<h1>${title}</h1>
`
  for (const article of data.articles) out += articleByHand(article, escaped)
  return `${out}<p><a href="${escaped(data.next)}">More</a></p>
</main>
<footer><a href="/about">About</a> <a href="/help">Help</a></footer>
</body>
</html>
`
}

function articleByHand(article: Article, escaped: (text: string) => string): string {
  const { id, author } = article
  let out = `<article id="a${id}"${article.isNew ? ' class="new"' : ''}>
<h2><a href="/articles/${id}">${escaped(article.title)}</a></h2>
<p class="by">by <a href="/people/${escaped(author.handle)}">${escaped(author.name)}</a>, ${escaped(article.published)}</p>
<p>${escaped(article.summary)}</p>
<p>`
  for (const { tag } of article.tags) out += `<a href="/tags/${escaped(tag)}">${escaped(tag)}</a> `
  return `${out}${article.comments} comments</p>
</article>
`
}
