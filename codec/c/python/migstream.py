"""Reads a migration stream of QEMU: its devices, their payloads, what is wrong with it.

Over libmigstream-inspect, by ctypes, and nothing else:

    import migstream

    with migstream.open('vm.qvm') as migration:
      for device in migration.devices:
        print(device.idstr, len(device.payload))
      for finding in migration.check():
        print(finding.severity, finding.message)

A migration is used by one thread at a time. MIGSTREAM_LIBRARY names the library where it is not
found by its name. A file is read anew for each thing that is asked, so it can be no pipe.
"""

import ctypes
import errno
import json
import os
import stat
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

__all__ = ['Device', 'Error', 'Finding', 'Migration', 'Section', 'Verdict', 'open', 'version']

_OK, _DONE, _ERROR, _BAD_ARGUMENT = 0, 3, -1, -3
_PAYLOAD, _CONFIG = 0, 1
_SEVERITIES = ('note', 'warning', 'error')
_VERDICTS = ('loads', 'refuses', 'waits')
_TYPES = {1: 'START', 2: 'PART', 3: 'END', 4: 'FULL'}


class Error(Exception):
  """What is wrong, and where: `code` as in FORMAT.md section 15, `offset` in the stream."""

  def __init__(self, text: str, code: int = 0, offset: int = 0) -> None:
    super().__init__(text)
    self.code = code
    self.offset = offset


class Finding(NamedTuple):
  """Something about a stream that is worth knowing; FINDINGS.md has them by `id`."""
  severity: str  # 'note', 'warning' or 'error'
  id: str
  offset: int
  section: str
  message: str
  file: str  # A channel's name; empty: the main channel.
  kernel: str  # What the destination's kernel does; may be empty.


class Verdict(NamedTuple):
  """What a release's loader says."""
  verdict: str  # 'loads', 'refuses' or 'waits'
  offset: int
  section: str
  message: str


class Section(NamedTuple):
  """A section of the main channel."""
  type: str  # 'START', 'PART', 'END' or 'FULL'
  id: int
  idstr: str
  instance_id: int
  version_id: int
  offset: int
  content_bytes: int
  vfio: bool


class _Options(ctypes.Structure):
  _fields_ = [('struct_size', ctypes.c_size_t), ('dialect', ctypes.c_int32),
              ('records', ctypes.c_int32), ('offset', ctypes.c_uint64),
              ('page_bytes', ctypes.c_uint64),
              ('channels', ctypes.POINTER(ctypes.c_char_p)),
              ('channel_count', ctypes.c_size_t)]


class _Error(ctypes.Structure):
  _fields_ = [('struct_size', ctypes.c_size_t), ('code', ctypes.c_int32),
              ('offset', ctypes.c_uint64), ('section', ctypes.c_char_p),
              ('reason', ctypes.c_char_p), ('file', ctypes.c_char_p),
              ('text', ctypes.c_char_p)]


class _Finding(ctypes.Structure):
  _fields_ = [('struct_size', ctypes.c_size_t), ('severity', ctypes.c_int32),
              ('id', ctypes.c_char_p), ('offset', ctypes.c_uint64),
              ('section', ctypes.c_char_p), ('message', ctypes.c_char_p),
              ('file', ctypes.c_char_p), ('kernel', ctypes.c_char_p)]


class _Verdict(ctypes.Structure):
  _fields_ = [('struct_size', ctypes.c_size_t), ('verdict', ctypes.c_int32),
              ('offset', ctypes.c_uint64), ('section', ctypes.c_char_p),
              ('message', ctypes.c_char_p)]


class _Section(ctypes.Structure):
  _fields_ = [('struct_size', ctypes.c_size_t), ('type', ctypes.c_int32),
              ('id', ctypes.c_uint32), ('offset', ctypes.c_uint64),
              ('idstr', ctypes.c_void_p), ('idstr_bytes', ctypes.c_size_t),
              ('instance_id', ctypes.c_uint32), ('version_id', ctypes.c_uint32),
              ('vfio', ctypes.c_int32)]


class _Walked(ctypes.Structure):
  _fields_ = [('struct_size', ctypes.c_size_t), ('section', ctypes.POINTER(_Section)),
              ('content_bytes', ctypes.c_uint64), ('footer', ctypes.c_int32)]


def _load() -> ctypes.CDLL:
  library = ctypes.CDLL(os.environ.get('MIGSTREAM_LIBRARY', 'libmigstream-inspect.so.1'),
                        use_errno=True)
  handle, number, size = ctypes.c_void_p, ctypes.c_int32, ctypes.c_size_t
  out = ctypes.POINTER
  for name, arguments in {
      'open': [ctypes.c_char_p, out(_Options), out(handle)],
      'close': [handle],
      'last_error': [handle, out(out(_Error))],
      'report': [handle, out(ctypes.c_char_p)],
      'state': [handle, out(ctypes.c_char_p)],
      'check': [handle, size, out(out(_Finding))],
      'verdict': [handle, ctypes.c_char_p, out(out(_Verdict))],
      'extract': [handle, ctypes.c_char_p, number, out(handle), out(size)],
      'section': [handle, size, out(out(_Walked))],
  }.items():
    function = getattr(library, 'migstream_walk_' + name)
    function.argtypes = arguments
    function.restype = number
  library.migstream_inspect_version.restype = ctypes.c_char_p
  return library


_library = _load()


def _text(given: Optional[bytes]) -> str:
  return (given or b'').decode('utf-8', 'replace')


def _bytes(text: 'os.PathLike[str] | str') -> bytes:
  """As C has it, which would take a NUL for the end."""
  given = os.fsencode(text)
  if b'\0' in given:
    raise ValueError('embedded null byte')
  return given


def version() -> str:
  """The library's release."""
  return _text(_library.migstream_inspect_version())


class Device:
  """A VFIO device of a migration. `report` is its part of the report."""

  def __init__(self, migration: 'Migration', report: Dict[str, Any]) -> None:
    self._migration = migration
    self.report = report
    self.idstr: str = report['idstr']

  @property
  def payload(self) -> bytes:
    """What the destination's device would get, out of all channels that were given."""
    return self._migration._extract(self.idstr, _PAYLOAD)

  @property
  def config(self) -> bytes:
    """Its PCI configuration space, of 256 or 4096 bytes."""
    return self._migration._extract(self.idstr, _CONFIG)

  def __repr__(self) -> str:
    return 'Device(%r)' % self.idstr


class Migration:
  """One migration: a main channel, and perhaps the files of its multifd channels."""

  def __init__(self, path: 'os.PathLike[str] | str', channels: Sequence[str] = (),
               offset: int = 0) -> None:
    self._handle = ctypes.c_void_p()
    self._report: Optional[Dict[str, Any]] = None
    names = [_bytes(name) for name in channels]
    options = _Options(struct_size=ctypes.sizeof(_Options), offset=offset,
                       channels=(ctypes.c_char_p * len(names))(*names),
                       channel_count=len(names))
    status = _library.migstream_walk_open(_bytes(path), ctypes.byref(options),
                                          ctypes.byref(self._handle))
    if status != _OK:
      # The library's own text goes with the handle; opening tells what is wrong.
      for name in (path, *channels):
        if stat.S_ISFIFO(os.stat(name).st_mode):
          raise OSError(errno.ESPIPE, 'A pipe cannot be read more than once', os.fsdecode(name))
        with _builtin_open(name, 'rb'):
          pass
      raise Error('%s: cannot be read' % ' and '.join(map(os.fsdecode, (path, *channels))))

  def close(self) -> None:
    """Gives the library's memory back. More than once is fine."""
    _library.migstream_walk_close(self._handle)
    self._handle = ctypes.c_void_p()

  def __enter__(self) -> 'Migration':
    return self

  def __exit__(self, *_: object) -> None:
    self.close()

  def __del__(self) -> None:
    if getattr(self, '_handle', None):
      self.close()

  def _check(self, status: int) -> None:
    if status in (_OK, _DONE):
      return
    error = ctypes.POINTER(_Error)()
    if status == _ERROR and _library.migstream_walk_last_error(
        self._handle, ctypes.byref(error)) == _OK:
      raise Error(_text(error.contents.text), error.contents.code, error.contents.offset)
    if not self._handle:
      raise Error('the migration is closed')
    raise Error('the library refuses it (status %d)' % status)

  def _json(self, function: Any) -> Dict[str, Any]:
    text = ctypes.c_char_p()
    self._check(function(self._handle, ctypes.byref(text)))
    parsed: Dict[str, Any] = json.loads(text.value or b'{}')
    return parsed

  def _extract(self, idstr: str, what: int) -> bytes:
    data, size = ctypes.c_void_p(), ctypes.c_size_t()
    self._check(_library.migstream_walk_extract(self._handle, _bytes(idstr), what,
                                                ctypes.byref(data), ctypes.byref(size)))
    return ctypes.string_at(data, size.value) if size.value else b''

  def report(self) -> Dict[str, Any]:
    """What the stream is, in the shape of report.proto, as `migstream inspect --format=json`
    prints it. Damage is one of its findings."""
    if self._report is None:
      self._report = self._json(_library.migstream_walk_report)
    return self._report

  def state(self) -> Dict[str, Any]:
    """Every device's fields, as QEMU's analyze-migration.py gives them."""
    return self._json(_library.migstream_walk_state)

  @property
  def devices(self) -> List[Device]:
    """The VFIO devices, in the order of the stream."""
    return [Device(self, device) for device in self.report().get('devices', [])]

  def check(self) -> List[Finding]:
    """What is wrong, or worth knowing."""
    findings = []
    found = ctypes.POINTER(_Finding)()
    while True:
      status = _library.migstream_walk_check(self._handle, len(findings), ctypes.byref(found))
      self._check(status)
      if status == _DONE:
        return findings
      one = found.contents
      findings.append(Finding(_SEVERITIES[one.severity], _text(one.id), one.offset,
                              _text(one.section), _text(one.message), _text(one.file),
                              _text(one.kernel)))

  def verdict(self, release: str) -> Verdict:
    """Whether a QEMU, as 'qemu-11.1', would load it."""
    says = ctypes.POINTER(_Verdict)()
    status = _library.migstream_walk_verdict(self._handle, _bytes(release), ctypes.byref(says))
    if status == _BAD_ARGUMENT and self._handle:
      raise Error('%s: is no release that is known' % release)
    self._check(status)
    one = says.contents
    return Verdict(_VERDICTS[one.verdict], one.offset, _text(one.section), _text(one.message))

  def __iter__(self) -> Iterator[Section]:
    """The sections of the main channel, in order."""
    index = 0
    walked = ctypes.POINTER(_Walked)()
    while True:
      status = _library.migstream_walk_section(self._handle, index, ctypes.byref(walked))
      self._check(status)
      if status == _DONE:
        return
      one = walked.contents.section.contents
      idstr = ctypes.string_at(one.idstr, one.idstr_bytes) if one.idstr_bytes else b''
      yield Section(_TYPES.get(one.type, str(one.type)), one.id, _text(idstr), one.instance_id,
                    one.version_id, one.offset, walked.contents.content_bytes, one.vfio != 0)
      index += 1


_builtin_open = open


def open(path: 'os.PathLike[str] | str', channels: Sequence[str] = (),  # pylint: disable=redefined-builtin
         offset: int = 0) -> Migration:
  """Opens a migration by its main channel's file; `channels` are those of multifd."""
  return Migration(path, channels, offset)
