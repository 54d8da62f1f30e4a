#!/usr/bin/env python3
"""Rules of this house that no compiler knows, held against the sources.

usage: tidy_test.py WORKSPACE
"""

import ast
import os
import re
import sys
import textwrap

# A room includes the rooms of floors below its own, and none beside it. Tests,
# and the helpers of tests, may look up.
FLOORS = [
    ['flags'],
    ['codec/wire'],
    ['codec/device', 'codec/multifd', 'codec/payload'],
    ['codec/io'],
    ['codec/qemu'],
    ['codec/channels', 'codec/place', 'codec/recover'],
    ['codec/survey'],
    ['codec/state', 'codec/extract', 'codec/loader', 'codec/map'],
    ['codec/report', 'codec/diff', 'codec/model',
     'codec/destination'],
    ['codec/rewrite', 'codec/generate', 'codec/session', 'codec/explain',
     'codec/capture', 'codec/page'],
    ['codec/c', 'inspect'],
    ['bench', 'fuzz', 'interop', 'testdata', 'third_party'],
]

# What a VMM links: these use the standard library alone.
STANDARD_ONLY = {'flags', 'codec/wire', 'codec/device', 'codec/multifd',
                 'codec/payload', 'codec/session', 'codec/model', 'codec/c'}

FILES_OF_A_TARGET = 10
LINES_OF_A_FUNCTION = 100
COLUMNS = 80

# Enumerations of the wire: whoever switches over one meets a new value.
WIRE_ENUMS = {'Command', 'ConfigLayoutKind', 'DialectId', 'Element',
              'EventKind', 'MultifdEventKind', 'ReturnMessage', 'SectionType',
              'Tag'}

WORDS = [
    (r'^Of (?!course)|[.:;] Of (?!course)', 'lacks its subject'),
    (r'(?<!there )\b(is|are) none\b|\bnone of ours\b', 'should say "is not"'),
    (r'\b(TODO|FIXME|XXX)\b', 'should be done, or not be here'),
    (r'(?<![\w(#&/])#\d+\b', 'names an issue'),
    (r'(^|[\s(`"\'=])/(?!usr/|etc/|dev/|proc/|sys/|tmp/|var/|bin/)[a-z]+/[a-z]',
     'names a path of one machine'),
]

# Called by nobody here: the interface of a public target.
INTERFACE = {'ChannelOptionsOf', 'DataBatch', 'DataHeader',
             'FindMigrationRegion', 'ParseConfig', 'Repack', 'SwitchoverAllowed', 'SyncChannels'}


def read(path):
  with open(path, encoding='utf-8') as file:
    return file.read()


def files():
  for folder, folders, names in os.walk('.', followlinks=False):
    folders[:] = [f for f in folders
                  if not f.startswith('bazel-') and f not in ('.git', 'corpus')]
    for name in names:
      path = os.path.relpath(os.path.join(folder, name), '.')
      if not os.path.islink(path):
        yield path


def room(path):
  parts = path.split('/')
  return '/'.join(parts[:2]) if parts[0] == 'codec' else parts[0]


class Target:
  """A rule of a BUILD file: its files, and whether it is of tests only."""

  def __init__(self, folder, call):
    self.strings = {}
    self.testonly = False
    for keyword in call.keywords:
      self.strings[keyword.arg] = [
          node.value for node in ast.walk(keyword.value)
          if isinstance(node, ast.Constant) and isinstance(node.value, str)]
      if keyword.arg == 'testonly':
        self.testonly = True
    self.rule = getattr(call.func, 'id', '')
    self.name = (self.strings.get('name') or [''])[0]
    self.label = '//%s:%s' % (folder, self.name)
    names = self.strings.get('srcs', []) + self.strings.get('hdrs', [])
    self.files = [os.path.join(folder, n) for n in names
                  if not n.startswith((':', '/', '@'))]


class House:

  def __init__(self):
    self.complaints = []
    self.paths = sorted(files())
    self.sources = [p for p in self.paths if p.endswith(('.cc', '.h'))]
    self.text = {p: read(p) for p in self.paths
                 if p.endswith(('.cc', '.h', '.c', '.py', '.sh', '.md', '.bzl',
                                '.bazel', '.proto'))}
    self.targets = []
    self.built = set()  # Files that a BUILD file names.
    for path in self.paths:
      if os.path.basename(path) == 'BUILD.bazel':
        folder = os.path.dirname(path)
        for node in ast.walk(ast.parse(self.text[path])):
          if isinstance(node, ast.Call):
            self.targets.append(Target(folder, node))
          elif isinstance(node, ast.Constant):
            # A source, or what a macro makes one of.
            self.built.add(os.path.join(folder, str(node.value)))
            self.built.add(os.path.join(folder, '%s.cc' % node.value))
    of_tests = {f for t in self.targets
                if t.testonly or t.rule in ('cc_test', 'fuzz_target')
                for f in t.files}
    self.product = [p for p in self.sources
                    if p not in of_tests and not p.endswith('_test.cc') and
                    room(p) not in ('fuzz', 'bench', 'testdata',
                                        'third_party') and
                    not p.startswith('codec/examples/')]

  def say(self, rule, path, line, words):
    where = '%s:%d' % (path, line) if line else path
    self.complaints.append('%s: %s (%s)' % (where, words, rule))

  def lines(self, paths):
    for path in paths:
      for number, line in enumerate(self.text[path].split('\n'), 1):
        yield path, number, line

  def check_targets(self):
    for path in self.paths:
      source = path.endswith(('.cc', '.h', '.c', '.proto'))
      if source and path not in self.built:
        self.say('target', path, 0, 'is in no target')
    for target in self.targets:
      if len(target.files) > FILES_OF_A_TARGET:
        self.say('target', target.label, 0, 'has %d files, of %d at most' %
                 (len(target.files), FILES_OF_A_TARGET))

  def check_includes(self):
    floor = {r: i for i, rooms in enumerate(FLOORS) for r in rooms}
    for path, number, line in self.lines(self.product):
      match = re.match(r'#include ["<]([^">]+)[">]', line)
      if not match or path.startswith('codec/example'):
        continue
      here, there = room(path), room(match.group(1))
      if here not in floor:
        self.say('room', path, 0, 'is in a room that FLOORS does not have')
      elif there in floor and here != there and floor[there] >= floor[here]:
        self.say('room', path, number, 'includes upward: ' + match.group(1))
      if here in STANDARD_ONLY and match.group(1).startswith('absl/'):
        self.say('room', path, number, 'includes Abseil')

  def check_lines(self):
    for path, number, line in self.lines(self.sources):
      if len(line) > COLUMNS and not line.startswith('#include'):
        self.say('line', path, number, 'has %d columns' % len(line))
      # What an allocator cannot give is told to C here, and nowhere else.
      if room(path) != 'codec/c' and re.match(
          r'[^"/]*\b(throw\b[^(]*;|try \{|catch \()', line):
        self.say('exception', path, number, 'uses an exception')

  def check_functions(self):
    for path in self.sources:
      start = None
      for number, line in enumerate(self.text[path].split('\n'), 1):
        if re.match(r'[^\s#/}]', line):
          other = line.endswith(';') or re.match(
              r'(namespace|class|struct|enum|union|const|static const)', line)
          start = None if other else number
        elif line == '}' and start:
          if number - start >= LINES_OF_A_FUNCTION:
            self.say('function', path, start,
                     'is a function of %d lines' % (number - start + 1))
          start = None

  def check_defaults(self):
    for path in self.product:
      if not path.startswith(('flags/', 'codec/')):
        continue
      enums = []  # Those of the cases of each open switch, with its indent.
      for number, line in enumerate(self.text[path].split('\n'), 1):
        indent = len(line) - len(line.lstrip())
        while enums and line.strip() and indent <= enums[-1][0] and (
            line.strip().startswith('}')):
          enums.pop()
        if re.match(r'\s*switch \(', line):
          enums.append((indent, set()))
        elif enums:
          enums[-1][1].update(re.findall(r'case (\w+)::', line))
          if line.strip() == 'default:' and enums[-1][1] & WIRE_ENUMS:
            self.say('default', path, number, 'is a default over ' +
                     ', '.join(sorted(enums[-1][1] & WIRE_ENUMS)))

  def comments(self):
    """Sentences of comments and pages: path, line, text."""
    marks = {'.cc': '//', '.h': '//', '.c': '//', '.proto': '//', '.py': '#',
             '.sh': '#', '.bzl': '#', '.bazel': '#'}
    for path in self.text:
      mark = marks.get(os.path.splitext(path)[1])
      fenced = before = False
      for number, line in enumerate(self.text[path].split('\n'), 1):
        if mark:
          match = re.search(r'(^|\s)%s+ (.*)' % mark, line)
          text = match.group(2) if match else ''
          # A line that goes on with a sentence does not begin one.
          whole = bool(match) and not line[:match.start()].strip()
          going_on, before = before and whole, bool(match) and not re.search(
              r'[.:;!?]$', text)
          if text and (going_on or not whole):
            text = '… ' + text
          if text:
            yield path, number, text
        else:
          fenced ^= line.startswith('```')
          if not fenced and not line.startswith('    '):
            yield path, number, re.sub(r'\]\([^)]*\)|`[^`]*`', '', line)

  def check_words(self):
    for path, number, text in self.comments():
      for pattern, words in WORDS:
        match = re.search(pattern, text)
        if match and path != 'codec/tidy_test.py':
          self.say('words', path, number, '"%s" %s' % (match.group(0), words))

  def check_examples(self):
    """A header's example is the one that codec/examples compiles and runs."""
    for path in self.paths:
      if not re.match(r'codec/examples/\w+\.cc$', path):
        continue
      first, _, rest = self.text[path].partition('\n')
      header = re.sub(r'^// The example of (.*)\.$', r'\1', first)
      if header not in self.text:
        self.say('example', path, 1, 'does not say whose example it is')
        continue
      example = re.search(r'\n *// \[example\]\n(.*?)\n *// \[end\]', rest,
                          re.S)
      if not example:
        self.say('example', path, 0, 'has no marks [example] and [end]')
        continue
      kept = re.sub(r'\n *// \[pause\].*?// \[resume\]', '', example.group(1),
                    flags=re.S)
      comment = '\n'.join(('//   ' + line).rstrip() for line in
                          textwrap.dedent(kept).split('\n'))
      if '\n//\n%s\n//\n' % comment not in self.text[header]:
        self.say('example', header, 0, 'should show what %s holds:\n%s' %
                 (path, comment))

  def check_pages(self):
    """The rooms that README.md and CONTRIBUTING.md tell of are these."""
    floors = re.findall(r'^\| \d+ \| (.*) \|$', self.text['CONTRIBUTING.md'],
                        re.M)
    told = [set(re.findall(r'`([\w/]+)/`', floor)) for floor in floors]
    if told[::-1] != [set(rooms) for rooms in FLOORS]:
      self.say('page', 'CONTRIBUTING.md', 0, 'has other floors than FLOORS')
    for rooms in FLOORS:
      for missing in rooms:
        if '\n| `%s/` |' % missing not in self.text['README.md']:
          self.say('page', 'README.md', 0, 'does not tell of ' + missing)

  def check_dead(self):
    """What a header declares for all, and only its own .cc or a test names."""
    users = {}
    for path in self.product:
      for name in set(re.findall(r'\b[A-Z]\w+', self.text[path])):
        users.setdefault(name, set()).add(os.path.splitext(path)[0])
    for path in self.product:
      if not path.endswith('.h'):
        continue
      # A class within a class is not looked into, it is indented further; nor
      # a struct, which hides nothing.
      private = False
      for number, line in enumerate(self.text[path].split('\n'), 1):
        if re.match(r' (private|protected):|struct ', line):
          private = True
        elif line in (' public:', '};'):
          private = False
        match = re.match(
            r'(  )?[\w:<>,*&\[\]][ \w:<>,*&\[\]]*[ *&]([A-Z]\w+)\(', line)
        if private or not match or line.lstrip().startswith(
            ('//', 'return', '#', 'explicit', 'if', 'for')):
          continue
        name = match.group(2)
        own = os.path.splitext(path)[0]
        if (users.get(name, set()) <= {own} and name not in INTERFACE and
            len(re.findall(r'\b%s\b' % name, self.text[path])) == 1 and
            'override' not in line):
          self.say('dead', path, number, 'nobody calls ' + name)


def main():
  os.chdir(os.path.dirname(os.path.realpath(sys.argv[1])))
  house = House()
  for check in dir(house):
    if check.startswith('check_'):
      getattr(house, check)()
  print('\n'.join(house.complaints))
  print('%d files, %d complaints' % (len(house.text), len(house.complaints)))
  sys.exit(1 if house.complaints else 0)


if __name__ == '__main__':
  main()
