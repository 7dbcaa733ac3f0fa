import { runCases } from './cases.ts'

function counter(): { next: () => number } {
  let count = 0
  return {
    next: () => {
      count += 1
      return count
    },
  }
}

runCases('lambdas', [
  { says: 'give their value', template: '{{f}}!', data: { f: () => 'x' }, gives: 'x!' },
  { says: 'give a template', template: '{{f}}', data: { f: () => '{{x}}', x: 1 }, gives: '1' },
  {
    says: 'give it in the default delimiters',
    template: '{{=| |=}}|&f|',
    data: { f: () => '|x| {{x}}', x: 1 },
    gives: '|x| 1',
  },
  {
    says: 'are called each time',
    template: '{{next}} {{{next}}} {{next}}',
    data: counter(),
    gives: '1 2 3',
  },
  { says: 'are escaped', template: '{{f}}{{{f}}}', data: { f: () => '>' }, gives: '&gt;>' },
  {
    says: 'get the text of a section',
    template: '<{{#f}}{{x}}{{/f}}>',
    data: { f: (text: string) => (text === '{{x}}' ? 'yes' : 'no') },
    gives: '<yes>',
  },
  {
    says: 'expand a section',
    template: '<{{#f}}-{{/f}}>',
    data: { f: (text: string) => `${text}{{x}}${text}`, x: 1 },
    gives: '<-1->',
  },
  {
    says: 'expand in the current delimiters',
    template: '{{=| |=}}<|#f|-|/f|>',
    data: { f: (text: string) => `${text}{{x}} |x|`, x: 1 },
    gives: '<-{{x}} 1>',
  },
  {
    says: 'expand each item of a list',
    template: '<{{#l}}x{{/l}}>',
    data: { x: 1, l: [(text: string) => `~{{${text}}}~`, 5, (text: string) => `#${text}#`] },
    gives: '<~1~x#x#>',
  },
  {
    says: 'are not contexts',
    template: '{{#p}}{{#f}}&{{/f}}{{/p}}',
    data: { p: 'P', f: (text: string) => `${text}{{.}}` },
    gives: '&P',
  },
  {
    says: 'are not expanded twice',
    template: '{{#f}}y{{/f}}',
    data: { f: (_: string) => '{{x}}', x: '{{y}}', y: 1 },
    gives: '{{y}}',
  },
  {
    says: 'are not cached',
    template: '{{#f}}a{{/f}} {{#f}}b{{/f}}',
    data: { f: (text: string) => `_${text}_` },
    gives: '_a_ _b_',
  },
  {
    says: 'are true for inverted sections',
    template: '<{{^f}}x{{/f}}>',
    data: { f: (_: string) => false },
    gives: '<>',
  },
  {
    says: 'without parameter are methods that give data',
    template: '{{#f}}{{x}}{{/f}}{{^g}}no{{/g}}{{#a.list}}{{.}}{{/a.list}}',
    data: {
      f: () => ({ x: 1 }),
      g: () => false,
      a: {
        n: 3,
        list(): number[] {
          return [this.n, 4]
        },
      },
    },
    gives: '1no34',
  },
  {
    says: 'are called within dotted names',
    template: '{{a.b.c}}',
    data: { a: () => ({ b: () => ({ c: 1 }) }) },
    gives: '1',
  },
  {
    says: 'may use partials',
    template: '{{#f}}x{{/f}}',
    partials: { p: '[{{x}}]' },
    data: { f: (text: string) => `${text}{{>p}}`, x: 1 },
    gives: 'x[1]',
  },
  {
    says: 'get the text of a section without its own lines',
    template: '{{#f}}\n a\n{{/f}}\n',
    data: { f: (text: string) => JSON.stringify(text) },
    gives: '" a\\n"',
  },
  {
    says: 'that give nothing print nothing',
    template: '({{f}}{{#g}}x{{/g}})',
    data: { f: () => undefined, g: (_: string) => null },
    gives: '()',
  },
])
