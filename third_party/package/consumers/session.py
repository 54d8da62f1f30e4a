#!/usr/bin/env python3
"""Decodes a capture by the module; saves and loads a device by the C interface, over ctypes alone.

usage: session.py CAPTURE DEVICE
Prints the bytes of the device's payload, if all is well.
"""

import ctypes
import sys

import migstream

size_t, c_int, handle = ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p
u32, u64, i32 = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int32

RUNNING, STOP_COPY, RESUMING = 2, 3, 4
EVENT, COMPLETED = 1, 1


class Pieces(ctypes.Structure):  # struct iovec
  _fields_ = [('base', ctypes.c_void_p), ('bytes', size_t)]


SetState = ctypes.CFUNCTYPE(c_int, handle, u32, ctypes.POINTER(c_int))
GetState = ctypes.CFUNCTYPE(c_int, handle, ctypes.POINTER(u32))
Reset = ctypes.CFUNCTYPE(c_int, handle)
Move = ctypes.CFUNCTYPE(ctypes.c_int64, handle, ctypes.c_void_p, size_t)
GetBytes = ctypes.CFUNCTYPE(c_int, handle, ctypes.POINTER(u64))
Write = ctypes.CFUNCTYPE(c_int, handle, u32, ctypes.POINTER(Pieces), c_int)


class Functions(ctypes.Structure):
  _fields_ = [('struct_size', size_t), ('set_state', SetState), ('get_state', GetState),
              ('drop_session', handle), ('reset', Reset), ('read', Move), ('write', Move),
              ('wait', handle), ('get_precopy_bytes', handle),
              ('get_stop_copy_bytes', GetBytes)]


class DeviceOptions(ctypes.Structure):
  _fields_ = [('struct_size', size_t), ('allocator', handle),
              ('functions', ctypes.POINTER(Functions))]


class Config(ctypes.Structure):
  _fields_ = [('struct_size', size_t), ('version', u32), ('pci_config', ctypes.c_char_p),
              ('pci_config_bytes', size_t)]


class Hints(ctypes.Structure):
  _fields_ = [('struct_size', size_t), ('content_bytes', u64), ('pci_config_bytes', u32),
              ('has_msix_vectors', i32)]


class SaveOptions(ctypes.Structure):
  _fields_ = [('struct_size', size_t), ('dialect', i32), ('no_footers', i32),
              ('no_return_path', i32), ('switchover_ack', i32), ('switchover_ack_legacy', i32),
              ('config_load_ready', i32), ('skip_empty_parts', i32), ('trust_shut', i32),
              ('record_bytes', u32), ('channels', u32), ('uuid', ctypes.c_uint8 * 16),
              ('section_ids', handle), ('section_id_count', size_t), ('context', handle),
              ('write', Write)]


class LoadOptions(ctypes.Structure):
  _fields_ = [('struct_size', size_t), ('dialect', i32), ('channels', u32), ('page_bytes', u32),
              ('no_return_path', i32), ('switchover_ack', i32), ('switchover_ack_legacy', i32),
              ('wait_for_interrupts', i32), ('has_footers', i32), ('footers', i32),
              ('max_queue_bytes', u64), ('hints', ctypes.POINTER(ctypes.POINTER(Hints))),
              ('hint_count', size_t)]


library = ctypes.CDLL('libmigstream.so.1')


def call(name, *arguments):
  status = getattr(library, 'migstream_' + name)(*arguments)
  if status < 0:
    raise RuntimeError('%s: status %d' % (name, status))
  return status


class Device:
  """A device in memory, in a set of its own."""

  def __init__(self, state):
    self.bytes, self.state, self.given = state, RUNNING, 0
    self.functions = Functions(
        ctypes.sizeof(Functions), SetState(self.set_state), GetState(self.get_state), None,
        Reset(self.reset), Move(self.read), Move(self.write), None, None,
        GetBytes(self.get_stop_copy_bytes))
    options = DeviceOptions(ctypes.sizeof(DeviceOptions), None, ctypes.pointer(self.functions))
    self.handle, self.set = handle(), handle()
    call('device_create', ctypes.byref(options), ctypes.byref(self.handle))
    call('set_create', None, ctypes.byref(self.set))
    call('set_add', self.set, self.handle, b'0000:00:05.0/vfio', 0)

  def set_state(self, _, state, new_session):
    new_session[0] = int(state in (STOP_COPY, RESUMING))
    if state == RESUMING:
      self.bytes = b''
    self.state = state
    return 0

  def get_state(self, _, state):
    state[0] = self.state
    return 0

  def reset(self, _):
    self.state = RUNNING
    return 0

  def read(self, _, buffer, size):
    piece = self.bytes[self.given:self.given + size]
    ctypes.memmove(buffer, piece, len(piece))
    self.given += len(piece)
    return len(piece)

  def write(self, _, data, size):
    self.bytes += ctypes.string_at(data, size)
    return size

  def get_stop_copy_bytes(self, _, left):
    left[0] = len(self.bytes) - self.given
    return 0

  def close(self):
    call('destroy', self.set)
    call('destroy', self.handle)


def save(device):
  stream = []

  def write(_, __, pieces, count):
    stream.extend(ctypes.string_at(pieces[i].base, pieces[i].bytes) for i in range(count))
    return 0

  options = SaveOptions(struct_size=ctypes.sizeof(SaveOptions), no_return_path=1,
                        write=Write(write))
  session, written, outcome = handle(), u64(), i32()
  call('save_create', device.set, ctypes.byref(options), ctypes.byref(session))
  call('save_write_head', session, b'pc-q35-11.1')
  call('save_start', session)
  while call('save_iterate', session, u64(0), ctypes.byref(written)) == 0:
    pass
  call('save_switchover', session)
  config = Config(ctypes.sizeof(Config), 0, bytes(256), 256)
  configs = (ctypes.POINTER(Config) * 1)(ctypes.pointer(config))
  call('save_complete', session, configs, size_t(1))
  call('save_write_eof', session, None, size_t(0))
  call('save_finish', session, ctypes.byref(outcome))
  call('destroy', session)
  return b''.join(stream)


def load(device, stream):
  hints = (ctypes.POINTER(Hints) * 1)(
      ctypes.pointer(Hints(ctypes.sizeof(Hints), 0, 256, 1)))
  options = LoadOptions(struct_size=ctypes.sizeof(LoadOptions), hints=hints, hint_count=1)
  session, action, shut, outcome = handle(), handle(), handle(), i32()
  call('load_create', device.set, ctypes.byref(options), ctypes.byref(session))
  call('load_start', session)
  buffer = ctypes.create_string_buffer(stream, len(stream))
  rest = Pieces(ctypes.addressof(buffer), len(stream))
  while call('load_next', session, ctypes.byref(rest), ctypes.byref(action)) == EVENT:
    pass
  call('load_finish', session, ctypes.byref(outcome), ctypes.byref(shut))
  call('set_run', device.set)
  call('destroy', session)
  return outcome.value


def main():
  with migstream.open(sys.argv[1]) as migration:
    payload, = [d.payload for d in migration.devices if d.idstr == sys.argv[2]]
  source, destination = Device(b'the device\'s state'), Device(b'')
  outcome = load(destination, save(source))
  if outcome != COMPLETED or destination.bytes != source.bytes or destination.state != RUNNING:
    sys.exit('the device has another state than before')
  source.close()
  destination.close()
  print(len(payload))


main()
