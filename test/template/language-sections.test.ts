import { runCases } from './cases.ts'

runCases('sections', [
  { says: 'render for truth', template: '({{#b}}x{{/b}})', data: { b: true }, gives: '(x)' },
  {
    says: 'do not for false, null, zero, empty text, empty list, nothing',
    template: '({{#f}}x{{/f}}{{#n}}x{{/n}}{{#z}}x{{/z}}{{#e}}x{{/e}}{{#l}}x{{/l}}{{#m}}x{{/m}})',
    data: { f: false, n: null, z: 0, e: '', l: [] },
    gives: '()',
  },
  { says: 'push objects', template: '{{#c}}{{x}}{{/c}}', data: { c: { x: 1 } }, gives: '1' },
  {
    says: 'see outer contexts',
    template: '{{#s}}{{a}}{{b}}{{c.d}}{{/s}}',
    data: { a: 1, b: 0, s: { b: 2 }, c: { d: 3 } },
    gives: '123',
  },
  {
    says: 'push plain values',
    template: '{{#x}}{{.}} is {{x}}{{/x}}',
    data: { x: 'y' },
    gives: 'y is y',
  },
  {
    says: 'go through lists',
    template: '{{#l}}({{x}}){{/l}}',
    data: { l: [{ x: 1 }, { x: 2 }] },
    gives: '(1)(2)',
  },
  {
    says: 'see all contexts of nested lists',
    template: '{{#a}}{{#b}}{{#c}}{{x}}{{y}}{{z}} {{/c}}{{/b}}{{/a}}',
    data: { a: [{ x: 1, b: [{ y: 2, c: [{ z: 3 }, { z: 4 }] }] }] },
    gives: '123 124 ',
  },
  { says: 'take text for one value', template: '{{#s}}x{{/s}}', data: { s: '123' }, gives: 'x' },
  {
    says: 'may repeat and nest',
    template: '{{#b}}1{{#b}}2{{/b}}3{{/b}}{{#b}}4{{/b}}',
    data: { b: true },
    gives: '1234',
  },
  {
    says: 'go through a list at the root',
    template: '{{#.}}({{x}}){{/.}}',
    data: [{ x: 1 }, { x: 2 }],
    gives: '(1)(2)',
  },
  {
    says: 'iterate values implicitly, escaped or raw',
    template: '{{#l}}({{.}}{{{.}}}{{&.}}){{/l}}',
    data: { l: ['<', 1.5] },
    gives: '(&lt;<<)(1.51.51.5)',
  },
  {
    says: 'iterate lists of lists',
    template: '{{#l}}({{#.}}{{.}}{{/.}}){{/l}}',
    data: { l: [[1, 2], ['a']] },
    gives: '(12)(a)',
  },
  {
    says: 'take dotted names',
    template: '({{#a.b}}x{{/a.b}}{{#a.c}}y{{/a.c}}{{#z.y}}z{{/z.y}})',
    data: { a: { b: 1 } },
    gives: '(x)',
  },
  {
    says: 'survive null items',
    template: '{{#l}}<{{.}}{{x}}>{{/l}}',
    data: { l: [null, undefined, 1], x: 'o' },
    gives: '<o><o><1o>',
  },
  {
    says: 'leave blanks of shared lines',
    template: ' | {{#b}}\t|\t{{/b}} | \n {{#b}}Y{{/b}}\n',
    data: { b: 1 },
    gives: ' | \t|\t | \n Y\n',
  },
  {
    says: 'keep blanks inside',
    template: '|{{#b}} {{! x }}\n {{/b}}|\n',
    data: { b: 1 },
    gives: '| \n |\n',
  },
  {
    says: 'take their own lines away',
    template: 'a\n  {{#b}}\nx\n\t{{/b}}\nc\n',
    data: { b: 1 },
    gives: 'a\nx\nc\n',
  },
  {
    says: 'do so with CRLF',
    template: '|\r\n{{#b}}\r\n{{/b}}\r\n|',
    data: { b: 1 },
    gives: '|\r\n|',
  },
  {
    says: 'do so at both ends of the text',
    template: ' {{#b}}\n#\n/\n  {{/b}}',
    data: { b: 1 },
    gives: '#\n/\n',
  },
  {
    says: 'ignore blanks inside tags',
    template: '|{{# b }}={{/ b }}|',
    data: { b: 1 },
    gives: '|=|',
  },
])

runCases('inverted sections', [
  {
    says: 'render for false, null, nothing, empty lists',
    template: '{{^f}}1{{/f}}{{^n}}2{{/n}}{{^m}}3{{/m}}{{^l}}4{{/l}}{{^a.b}}5{{/a.b}}',
    data: { f: false, n: null, l: [] },
    gives: '12345',
  },
  {
    says: 'do not for values, objects, lists',
    template: '({{^t}}1{{/t}}{{^o}}2{{/o}}{{^l}}3{{/l}}{{^a.b}}4{{/a.b}})',
    data: { t: 'x', o: {}, l: [0], a: { b: 1 } },
    gives: '()',
  },
  { says: 'nest', template: '{{^f}}B{{^f}}C{{/f}}D{{/f}}', data: {}, gives: 'BCD' },
  {
    says: 'push nothing',
    template: '{{#o}}{{^f}}{{x}}{{/f}}{{/o}}',
    data: { o: { x: 1 } },
    gives: '1',
  },
  {
    says: 'take their own lines away',
    template: 'a\n  {{^f}}\nx\n  {{/f}}\nb\n',
    data: {},
    gives: 'a\nx\nb\n',
  },
  {
    says: 'leave blanks of shared lines',
    template: ' | {{^f}}\t|\t{{/f}} | \n',
    data: {},
    gives: ' | \t|\t | \n',
  },
])
