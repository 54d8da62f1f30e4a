#!/usr/bin/env python3
"""What migstream.h says, as data: for its examples, its page, and tests.

usage: header.py examples HEADER...   C, to be compiled: the example of each function
       header.py page HEADER...       Markdown: all of the interface
       header.py calls HEADER...      C: each function called with null wherever it can be
"""

import re
import sys

# What the examples use and do not make.
PRELUDE = '''
#include <stdio.h>
#include <string.h>
%s
static int32_t apply(void* device, const uint8_t* config) { return device && config; }
static int32_t load(void* device, const void* bytes, size_t size) {
  return device && bytes && size;
}
static int write_pieces(void* context, uint32_t channel, const struct iovec* pieces, int count) {
  return context && channel && pieces && count;
}
ssize_t writev(int fd, const struct iovec* pieces, int count);
'''

PARAMETERS = {
    'bytes': 'void* bytes',
    'size': 'size_t size',
    'fd': 'int fd',
    'device': 'void* device',
    'pci_config': 'const uint8_t* pci_config',
    'json': 'const char* json',
    'path': 'const char* path',
    'input': 'struct iovec input',
    'records': 'struct iovec* records',
    'position': 'const struct migstream_position* position',
    'stream_event': 'const struct migstream_stream_event* stream_event',
    'event': 'const struct migstream_event* event',
    'outcome': 'int32_t outcome',
    'count': 'size_t count',
    'functions': 'struct migstream_device_functions functions',
    'decoder': 'migstream_section_decoder* decoder',
    'encoder': 'migstream_section_encoder* encoder',
    'stream': 'migstream_stream_decoder* stream',
    'writer': 'migstream_stream_encoder* writer',
    'replies': 'migstream_return_path_decoder* replies',
    'answers': 'migstream_return_path_encoder* answers',
    'channel': 'migstream_channel_decoder* channel',
    'reassembler': 'migstream_reassembler* reassembler',
    'payload': 'migstream_payload_decoder* payload',
    'mine': 'migstream_device* mine',
    'set': 'migstream_set* set',
    'save': 'migstream_save* save',
    'loader': 'migstream_load* loader',
    'models': 'migstream_models* models',
    'options': 'struct migstream_section_options options',
    'walk': 'migstream_walk* walk',
}


class Item:
  """A declaration: its comment, its text, and its name if it is a function."""

  def __init__(self, comment, text):
    self.text = text
    self.prose, self.example = [], []
    for line in comment:
      if line.startswith('  '):
        self.example.append(line[2:])
      elif self.example and not line:
        self.example.append(line)
      else:
        self.prose.append(line)
    match = re.search(r'(migstream_\w+)\(', text) if 'MIGSTREAM_API' in text else None
    self.name = match.group(1) if match else ''
    self.result = text.split(self.name + '(')[0] if match else ''

  def parameters(self):
    """The types and names of a function's parameters."""
    inside = re.search(r'migstream_\w+\((.*)\);', self.text, re.S).group(1)
    inside = ' '.join(inside.split())
    return [] if inside == 'void' else [p.strip() for p in inside.split(',')]


def parse(path):
  """Sections: a title, its prose, and its items."""
  sections = [['', [], []]]
  comment, text = [], []
  depth = 0
  for line in open(path, encoding='utf-8'):
    line = line.rstrip('\n')
    if depth == 0 and not text and line.startswith('//'):
      body = line[2:]
      body = body[1:] if body.startswith(' ') else body
      if set(body) == {'-'}:
        sections.append([None, [], []])
        comment = []
        continue
      comment.append(body)
      continue
    if not line.strip():
      if comment and not text:  # A comment that stands alone.
        if sections[-1][0] is None:
          sections[-1][0] = comment[0].rstrip('.')
          comment = comment[1:]
          if comment:
            sections[-1][0] = ' '.join([sections[-1][0]] + comment).split('. ')[0]
          sections[-1][1] = comment
        else:
          sections[-1][1] += comment
        comment = []
      continue
    if re.match(r'#|extern "C"|}$', line) and not text and depth == 0:
      comment = comment if line.startswith('#define MIGSTREAM_VERSION') else []
      continue
    text.append(line)
    depth += line.count('{') - line.count('}')
    if depth == 0 and line.rstrip().split('//')[0].rstrip().endswith(';'):
      sections[-1][2].append(Item(comment, '\n'.join(text)))
      comment, text = [], []
  return sections


def functions(paths):
  return [item for path in paths for _, _, items in parse(path)
          for item in items if item.name]


def includes(paths):
  return ''.join('#include "%s"\n' % path for path in paths)


def print_examples(paths):
  print(PRELUDE % includes(paths))
  for item in functions(paths):
    if not item.example:
      sys.exit('%s has no example' % item.name)
    example = '\n'.join('  ' + line for line in item.example)
    words = set(re.findall(r'\w+', re.sub(r'"[^"]*"', '', example)))
    # Not what the example itself makes.
    parameters = [
        declaration for name, declaration in PARAMETERS.items()
        if name in words and
        not re.search(r'\n? *(struct )?\w+[\w* ]* \*?%s(\[\w*\])?( =|;)' % name, example)]
    head = 'int Example_%s(%s)' % (item.name, ', '.join(parameters) or 'void')
    print('%s;\n%s {' % (head, head))
    print('  (void)apply, (void)load, (void)write_pieces;')
    print(example)
    print('  return 0;\n}\n')
  print('int main(void) { return 0; }')


def print_page(paths):
  print('# The C interface\n')
  print('Generated from the headers; what is here is what they say.\n')
  for path in paths:
    print('## %s\n' % path.split('/')[-1])
    for title, prose, items in parse(path):
      if title:
        print('### %s\n' % title)
      if prose:
        print('\n'.join(prose) + '\n')
      for item in items:
        if item.name:
          print('#### `%s`\n' % item.name)
        print('\n'.join(item.prose).strip() + '\n')
        print('```c\n%s\n```\n' % item.text.replace('MIGSTREAM_API ', ''))
        if item.example:
          print('```c\n%s\n```\n' % '\n'.join(item.example).strip('\n'))


def print_calls(paths):
  """Each pointer null, every number 0."""
  print(includes(paths))
  print('void CallAllWithNull(void (*check)(const char* name, int64_t status));')
  print('void CallAllWithNull(void (*check)(const char* name, int64_t status)) {')
  for item in functions(paths):
    parameters = item.parameters()
    if not parameters:
      continue
    arguments = ', '.join('NULL' if '*' in p else '0' for p in parameters)
    call = '%s(%s)' % (item.name, arguments)
    if 'migstream_status' in item.result:
      print('  check("%s", %s);' % (item.name, call))
    else:
      print('  (void)%s;' % call)
  print('}')


if __name__ == '__main__':
  {'examples': print_examples, 'page': print_page,
   'calls': print_calls}[sys.argv[1]](sys.argv[2:])
