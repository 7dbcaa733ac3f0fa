import { runCases } from './cases.ts'

runCases('comments', [
  { says: 'vanish within a line', template: 'a{{! note }}b', gives: 'ab' },
  { says: 'may span lines', template: 'a{{!\n  much\n  text\n}}b\n', gives: 'ab\n' },
  { says: 'take their own line away', template: 'a\n  {{! x }}\nb\n', gives: 'a\nb\n' },
  { says: 'do so over several lines', template: 'a\n  {{!\n x\n }}\nb\n', gives: 'a\nb\n' },
  { says: 'do so with CRLF', template: '|\r\n{{! x }}\r\n|', gives: '|\r\n|' },
  { says: 'do so on the first line', template: '  {{! x }}\nb', gives: 'b' },
  { says: 'do so on the last line', template: 'a\n  {{! x }}', gives: 'a\n' },
  { says: 'leave blanks of a shared line', template: '  1 {{! x }}\n', gives: '  1 \n' },
  { says: 'hold anything but the closing delimiter', template: 'a{{! {{x} <%= }}b', gives: 'ab' },
])

runCases('delimiters', [
  { says: 'can be set', template: '{{=<% %>=}}(<%x%>)', data: { x: 1 }, gives: '(1)' },
  {
    says: 'may be characters of regular expressions',
    template: '({{=[ ]=}}[x])',
    data: { x: 1 },
    gives: '(1)',
  },
  { says: 'may be padded', template: '|{{=  @   @  =}}@x@|', data: { x: 1 }, gives: '|1|' },
  {
    says: 'hold within and after sections',
    template: '{{#s}}\n{{x}} |x|\n{{/s}}\n{{= | | =}}\n|#s|\n{{x}} |x|\n|/s|\n',
    data: { s: true, x: 1 },
    gives: '1 |x|\n{{x}} 1\n',
  },
  {
    says: 'set in a section hold after it',
    template: '{{#s}}{{=| |=}}|x||/s| |x|{{x}}',
    data: { s: true, x: 1 },
    gives: '1 1{{x}}',
  },
  {
    says: 'do not enter partials',
    template: '{{>p}} {{= | | =}}|>p|',
    partials: { p: '.{{x}}.' },
    data: { x: 1 },
    gives: '.1. .1.',
  },
  {
    says: 'do not leave partials',
    template: '{{>p}} {{x}} |x|',
    partials: { p: '{{= | | =}}|x|' },
    data: { x: 1 },
    gives: '1 1 |x|',
  },
  {
    says: 'take their own line away',
    template: 'a\r\n {{=@ @=}}\r\n@x@',
    data: { x: 1 },
    gives: 'a\r\n1',
  },
  { says: 'leave a shared line alone', template: ' | {{=@ @=}}\n', gives: ' | \n' },
  {
    says: 'can be set back',
    template: '{{=<% %>=}}<%x%><%={{ }}=%>{{x}}',
    data: { x: 1 },
    gives: '11',
  },
  {
    says: 'work with raw values',
    template: '{{=<% %>=}}<%{x}%><%& x %>',
    data: { x: '<' },
    gives: '<<',
  },
])

runCases('interpolation', [
  { says: 'leaves text without tags alone', template: 'Hi {you} }} {', gives: 'Hi {you} }} {' },
  {
    says: 'escapes for text and quoted attributes',
    template: '{{x}}',
    data: { x: `&"<>'` },
    gives: '&amp;&quot;&lt;&gt;&#39;',
  },
  {
    says: 'is raw in triple mustaches',
    template: '{{{x}}}|{{{ x }}}',
    data: { x: '&"<>' },
    gives: '&"<>|&"<>',
  },
  {
    says: 'is raw with an ampersand',
    template: '{{&x}}|{{& x }}',
    data: { x: '&"<>' },
    gives: '&"<>|&"<>',
  },
  {
    says: 'prints numbers',
    template: '{{x}} {{{y}}} {{&z}}',
    data: { x: 85, y: 1.21, z: -0.5 },
    gives: '85 1.21 -0.5',
  },
  {
    says: 'prints nothing for what is missing',
    template: '({{a}}{{{a}}}{{&a}})',
    data: {},
    gives: '()',
  },
  {
    says: 'prints nothing for null',
    template: '({{a}}{{{a}}}{{&a}})',
    data: { a: null },
    gives: '()',
  },
  {
    says: 'prints false and zero',
    template: '{{f}} {{z}}',
    data: { f: false, z: 0 },
    gives: 'false 0',
  },
  {
    says: 'follows dotted names',
    template: '{{a.b.c}}{{{a.b.c}}}{{&a.b.c}}',
    data: { a: { b: { c: 'x' } } },
    gives: 'xxx',
  },
  {
    says: 'prints nothing for a broken chain',
    template: '({{a.b.c}}{{n.b}})',
    data: { a: {}, n: null },
    gives: '()',
  },
  {
    says: 'resolves parts only in their parent',
    template: '({{a.b.name}})',
    data: { a: { b: {} }, name: 'no' },
    gives: '()',
  },
  {
    says: 'resolves the first part as any name',
    template: '{{#a}}{{b.c}}{{/a}}',
    data: { a: { b: { c: 1 } }, b: { c: 2 } },
    gives: '1',
  },
  {
    says: 'does not go back for another first part',
    template: '({{#a}}{{b.c}}{{/a}})',
    data: { a: { b: {} }, b: { c: 2 } },
    gives: '()',
  },
  {
    says: 'does not read keys with dots',
    template: '({{a.b}})',
    data: { 'a.b': 1 },
    gives: '()',
  },
  {
    says: 'is not masked by keys with dots',
    template: '{{a.b}}',
    data: { 'a.b': 1, a: { b: 2 } },
    gives: '2',
  },
  {
    says: 'looks only here after a leading dot',
    template: '({{#a}}{{.x}}{{/a}}{{#b}}{{.x}}{{/b}})',
    data: { a: {}, b: { x: 1 }, x: 2 },
    gives: '(1)',
  },
  {
    says: 'prints the context for a dot',
    template: '{{.}} {{{.}}} {{&.}}',
    data: '<',
    gives: '&lt; < <',
  },
  {
    says: 'leaves blanks and lines around it',
    template: '  {{x}}\n | {{{x}}} |\n',
    data: { x: '-' },
    gives: '  -\n | - |\n',
  },
  {
    says: 'ignores blanks inside the tag',
    template: '|{{  x\t}}|',
    data: { x: '-' },
    gives: '|-|',
  },
  {
    says: 'is not repeated over what it printed',
    template: '{{x}}',
    data: { x: '{{y}}', y: 1 },
    gives: '{{y}}',
  },
  { says: 'keeps a brace behind the tag', template: '{{x}}}', data: { x: 1 }, gives: '1}' },
])
