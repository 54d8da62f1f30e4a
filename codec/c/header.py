#!/usr/bin/env python3
"""What migstream.h says, as data: for its examples, its page, and tests.

usage: header.py examples HEADER...   C, to be compiled: the example of each function
       header.py page HEADER...       Markdown: all of the interface
       header.py calls HEADER...      C: each function called with null wherever it can be
       header.py rust HEADER...       Rust: all of it, as an unsafe crate has it
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
    'sender': 'migstream_channel_encoder* sender',
    'piece': 'const struct migstream_piece* piece',
    'channel_event': 'const struct migstream_channel_event* channel_event',
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


RUST = {
    'size_t': 'usize', 'int32_t': 'i32', 'uint32_t': 'u32', 'uint64_t': 'u64', 'int64_t': 'i64',
    'uint8_t': 'u8', 'int': 'c_int', 'char': 'c_char', 'void': 'c_void', 'iovec': 'iovec',
}


def rust_type(text):
  """That of a C type without a name."""
  words = text.replace('struct ', '').replace('*', ' * ').split()
  constant, base, rust = False, '', ''
  pointers = []
  for word in words:
    if word == 'const':
      if pointers:
        pointers[-1] = '*const '  # Of what it points at from further out.
      constant = True
    elif word == '*':
      pointers.append('*const ' if constant else '*mut ')
      constant = False
    else:
      base = word
  rust = RUST.get(base, base)
  if not pointers and rust == 'c_void':
    return ''
  # The innermost pointer stands next to its type.
  return ''.join(reversed(pointers)) + rust


def rust_parameters(text):
  """Those of a C parameter list, with names."""
  parameters = []
  for i, one in enumerate(p.strip() for p in ' '.join(text.split()).split(',')):
    if one == 'void':
      break
    match = re.match(r'(.*[\s*])(\w+)$', one)
    kind, name = match.groups() if match and not re.match(
        r'(const )?(struct )?$', match.group(1)) else (one, 'arg%d' % i)
    if name.startswith('migstream_'):
      kind, name = one, 'arg%d' % i
    if name in ('type', 'in', 'move'):
      name += '_'
    parameters.append('%s: %s' % (name, rust_type(kind)))
  return ', '.join(parameters)


def rust_result(text):
  result = rust_type(text.replace('MIGSTREAM_API', '').strip())
  return ' -> ' + result if result else ''


def rust_struct(text):
  name = re.match(r'struct (\w+) \{', text).group(1)
  body = re.sub(r'//.*', '', text[text.index('{') + 1:text.rindex('}')])
  print('#[repr(C)]\n#[derive(Clone, Copy)]\npub struct %s {' % name)
  for member in (' '.join(m.split()) for m in body.split(';')):
    if not member:
      continue
    function = re.match(r'(.*)\(\*(\w+)\)\((.*)\)$', member)
    array = re.match(r'(\w+) (\w+)\[(\d+)\]$', member)
    if function:
      print('    pub %s: Option<unsafe extern "C" fn(%s)%s>,' % (
          function.group(2), rust_parameters(function.group(3)), rust_result(function.group(1))))
    elif array:
      print('    pub %s: [%s; %s],' % (array.group(2), RUST[array.group(1)], array.group(3)))
    else:
      kind, field = re.match(r'(.*[\s*])(\w+)$', member).groups()
      field = 'type_' if field == 'type' else field
      print('    pub %s: %s,' % (field, rust_type(kind)))
  print('}\n')


def print_rust(paths):
  print('// Made of the C headers by codec/c/header.py; they say what each of these is.\n')
  for path in paths:
    for _, _, items in parse(path):
      for item in items:
        if item.name:
          parameters = re.search(r'%s\((.*)\);' % item.name, item.text, re.S).group(1)
          print('extern "C" {\n    pub fn %s(%s)%s;\n}' % (
              item.name, rust_parameters(parameters), rust_result(item.result)))
        elif item.text.startswith('struct') and '{' in item.text:
          rust_struct(item.text)
        elif item.text.startswith('enum'):
          for name, value in re.findall(r'(MIGSTREAM_\w+) = (-?\d+)', item.text):
            print('pub const %s: i32 = %s;' % (name, value))
        elif item.text.startswith('typedef struct'):
          for name in re.findall(r'typedef struct (\w+) ', item.text):
            print('#[repr(C)]\npub struct %s {\n    _opaque: [u8; 0],\n}' % name)
        elif item.text.startswith('typedef int32_t'):
          print('pub type migstream_status = i32;')


if __name__ == '__main__':
  {'examples': print_examples, 'page': print_page,
   'calls': print_calls, 'rust': print_rust}[sys.argv[1]](sys.argv[2:])
