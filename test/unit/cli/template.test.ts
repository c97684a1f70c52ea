import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { humanDuration, humanSize } from '../../../src/cli/human.ts'
import { formatRows } from '../../../src/cli/table.ts'
import { compileTemplate } from '../../../src/cli/template.ts'

const data = {
  ID: 'abc',
  RepoTags: ['a:1', 'b:2'],
  Config: {
    Labels: new Map([
      ['z', 'last'],
      ['a', 'first'],
    ]),
    Cmd: ['sh', '-c'],
    Env: null,
    User: '',
  },
  Size: 12,
}

describe('a Go template', () => {
  const filled: [template: string, result: string][] = [
    ['plain', 'plain'],
    ['{{.ID}}-{{.Size}}', 'abc-12'],
    ['{{.Config.Cmd}}', '[sh -c]'],
    ['{{json .RepoTags}}', '["a:1","b:2"]'],
    ['{{json .Config}}', '{"Labels":{"z":"last","a":"first"},"Cmd":["sh","-c"],"Env":null,"User":""}'],
    ['{{.Config.Env}}', '<no value>'],
    ['{{.Config.Labels}}', 'map[a:first z:last]'],
    ['{{index .Config.Labels "z"}}{{.Config.Labels.none}}', 'last'],
    ['{{index .RepoTags 1}}', 'b:2'],
    ['{{range .RepoTags}}<{{.}}>{{end}}', '<a:1><b:2>'],
    ['{{range $i, $tag := .RepoTags}}{{$i}}={{$tag}} {{end}}', '0=a:1 1=b:2 '],
    ['{{range $key, $value := .Config.Labels}}{{$key}}:{{$value}},{{end}}', 'a:first,z:last,'],
    ['{{range .Config.Env}}x{{else}}none{{end}}', 'none'],
    ['{{if .Config.User}}user{{else if eq .Size 12}}twelve{{else}}other{{end}}', 'twelve'],
    ['{{if and .ID (not .Config.User)}}yes{{end}}', 'yes'],
    ['{{if or .Config.User .Config.Env}}yes{{else}}no{{end}}', 'no'],
    ['{{with .Config}}{{.User}}{{len .Cmd}} of {{$.ID}}{{end}}', '2 of abc'],
    ['{{$x := .ID}}{{$x | upper}}', 'ABC'],
    ['{{.ID | printf "%s=%q" "id"}}', 'id="abc"'],
    ['{{join .Config.Cmd ", "}}', 'sh, -c'],
    ['{{join (split "a/b/c" "/") "+"}}', 'a+b+c'],
    ['{{truncate .ID 2}}{{pad "x" 1 2}}{{title "word"}}{{lower "ABC"}}', 'ab x  Wordabc'],
    ['{{ne .Size 1}} {{lt .Size 20}} {{ge .Size 12}} {{eq .ID "x" "abc"}}', 'true true true true'],
    ['a {{- .ID -}} b', 'aabcb'],
    ['{{/* nothing */}}{{"}}"}}{{`raw`}}{{println "x"}}', '}}rawx\n'],
    ['{{(index .RepoTags 0)}}{{true}}', 'a:1true'],
  ]
  for (const [template, result] of filled) {
    it(template, () => assert.equal(compileTemplate(template)(data), result))
  }

  const wrong: [template: string, message: RegExp][] = [
    ['{{.Nothing}}', /there is no field \.Nothing here/],
    ['{{.ID.Deep}}', /there is no field \.Deep here/],
    ['{{.ID', /unclosed action/],
    ['{{if .ID}}x', /\{\{if\}\} without \{\{end\}\}/],
    ['{{end}}', /unexpected \{\{end\}\}/],
    ['{{}}', /missing value/],
    ['{{nothing .ID}}', /function "nothing" not defined/],
    ['{{.ID .Size}}', /can't give an argument/],
    ['{{$x}}', /undefined variable "\$x"/],
    ['{{range .Size}}{{end}}', /can't iterate/],
    ['{{index .RepoTags 7}}', /out of range/],
    ['{{define "x"}}{{end}}', /not supported/],
    ['{{.ID ~}}', /unexpected "~"/],
  ]
  for (const [template, message] of wrong) {
    it(`${template} is refused`, () => assert.throws(() => compileTemplate(template)(data), message))
  }
})

describe('the format of a list', () => {
  const titles = { ID: 'IMAGE ID', Size: 'SIZE' }
  const rows = [
    { ID: 'abc', Size: '1MB' },
    { ID: 'longer', Size: '20MB' },
  ]
  it('is a table with titles, a template for each row, or JSON', () => {
    assert.equal(
      formatRows(rows, 'table {{.ID}}\t{{.Size}}', titles),
      'IMAGE ID   SIZE\nabc        1MB\nlonger     20MB\n',
    )
    assert.equal(formatRows(rows, '{{.Size}}\\t{{.ID}}', titles), '1MB\tabc\n20MB\tlonger\n')
    assert.equal(formatRows(rows.slice(1), 'json', titles), '{"ID":"longer","Size":"20MB"}\n')
  })
})

describe('numbers for people', () => {
  it('are Docker’s', () => {
    assert.deepEqual([0, 999, 1000, 123_758_080, 1_234_567_890].map(humanSize), [
      '0B',
      '999B',
      '1kB',
      '124MB',
      '1.23GB',
    ])
    const second = 1000
    const hour = 3600 * second
    const day = 24 * hour
    assert.deepEqual(
      [
        10,
        second,
        45 * second,
        60 * second,
        59 * 60 * second,
        hour,
        47 * hour,
        3 * day,
        15 * day,
        65 * day,
        800 * day,
      ].map(humanDuration),
      [
        'Less than a second',
        '1 second',
        '45 seconds',
        'About a minute',
        '59 minutes',
        'About an hour',
        '47 hours',
        '3 days',
        '2 weeks',
        '2 months',
        '2 years',
      ],
    )
  })
})
