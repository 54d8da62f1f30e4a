#!/usr/bin/env python3
"""The Python module over real captures. usage: migstream_test.py LIBRARY CAPTURES"""

import hashlib
import json
import os
import re
import sys
import tempfile
import unittest

os.environ['MIGSTREAM_LIBRARY'] = os.path.abspath(sys.argv[1])
CAPTURES = sys.argv[2]
README = sys.argv[3]

import migstream  # noqa: E402 pylint: disable=wrong-import-position

with open(os.path.join(CAPTURES, 'manifest.json'), encoding='utf-8') as manifest:
  TRUTH = {capture['name']: capture for capture in json.load(manifest)}


def path(name):
  return os.path.join(CAPTURES, name + '.qvm.zst')


def channels(name):
  found = [os.path.join(CAPTURES, n) for n in sorted(os.listdir(CAPTURES))
           if re.match(re.escape(name) + r'\.ch[1-9]\d*\.qvm', n)]
  return found


class MigstreamTest(unittest.TestCase):

  def check_payload(self, name, files=()):
    with migstream.open(path(name), files) as migration:
      truth = TRUTH[name]['devices']
      self.assertEqual([d.idstr for d in migration.devices], [d['idstr'] for d in truth])
      for device, true in zip(migration.devices, truth):
        payload = device.payload
        self.assertEqual(hashlib.sha256(payload).hexdigest(), true['payload_sha256'])
        self.assertEqual(len(device.config), true['pci_config_bytes'])

  def test_payload_is_what_the_device_gave(self):
    for name in ('s111-precopy', 's52-two', 's72-pc256'):
      self.check_payload(name)

  def test_payload_comes_from_channels_too(self):
    self.check_payload('s111-multifd-two', channels('s111-multifd-two'))

  def test_channels_that_lack_are_an_error(self):
    with migstream.open(path('s111-multifd-two')) as migration:
      with self.assertRaises(migstream.Error):
        _ = migration.devices[0].payload

  def test_report_names_the_machine(self):
    with migstream.open(path('s111-precopy')) as migration:
      self.assertEqual(migration.report()['machineType'], 'pc-q35-11.1')

  def test_a_sound_stream_has_no_errors_and_a_cut_one_is_truncated(self):
    with migstream.open(path('s111-precopy')) as migration:
      self.assertNotIn('error', [f.severity for f in migration.check()])
    with migstream.open(path('s111-cancelled')) as migration:
      self.assertIn('truncated', [f.id for f in migration.check()])

  def test_verdict_is_the_loaders(self):
    with migstream.open(path('s111-precopy')) as migration:
      self.assertEqual(migration.verdict('qemu-11.1').verdict, 'loads')
      self.assertEqual(migration.verdict('qemu-7.2').verdict, 'refuses')
      with self.assertRaisesRegex(migstream.Error, '^qemu-1.0: is no release that is known$'):
        migration.verdict('qemu-1.0')
      with self.assertRaises(ValueError):
        migration.verdict('qemu-11.1\0')

  def test_sections_come_in_order(self):
    with migstream.open(path('s111-precopy')) as migration:
      sections = list(migration)
      self.assertEqual(sections[0].idstr, 'ram')
      self.assertEqual([s.offset for s in sections], sorted(s.offset for s in sections))
      vfio = [s.type for s in sections if s.vfio]
      self.assertEqual((vfio[0], vfio[-1]), ('START', 'FULL'))

  def test_state_has_each_devices_fields(self):
    with migstream.open(path('s111-precopy')) as migration:
      state = migration.state()
      self.assertTrue(any(name.startswith('timer') for name in state), list(state))

  def test_what_is_no_stream_is_an_error(self):
    with tempfile.NamedTemporaryFile() as file:
      file.write(b'no stream at all')
      file.flush()
      with migstream.open(file.name) as migration:
        for ask in (migration.report, migration.state, migration.check, lambda: list(migration)):
          with self.assertRaisesRegex(migstream.Error, 'not a migration stream'):
            ask()
    with self.assertRaises(FileNotFoundError):
      migstream.open('/no/such/file')
    with self.assertRaisesRegex(FileNotFoundError, '/no/such/channel'):
      migstream.open(path('s111-multifd-two'), ['/no/such/channel'])

  def test_a_pipe_is_refused_and_not_waited_for(self):
    with tempfile.TemporaryDirectory() as folder:
      pipe = os.path.join(folder, 'pipe')
      os.mkfifo(pipe)
      for files in ((pipe, ()), (path('s111-multifd-two'), (pipe,))):
        with self.assertRaisesRegex(OSError, 'pipe cannot be read more than once.*' + pipe):
          migstream.open(*files)

  def test_no_name_stands_for_standard_input_and_none_ends_early(self):
    with self.assertRaises(FileNotFoundError):
      migstream.open('-')
    with self.assertRaises(ValueError):
      migstream.open(path('s111-precopy') + '\0x')

  def test_a_closed_one_is_an_error(self):
    migration = migstream.open(path('s111-precopy'))
    migration.close()
    migration.close()
    with self.assertRaisesRegex(migstream.Error, 'closed'):
      migration.report()
    with self.assertRaisesRegex(migstream.Error, 'closed'):
      migration.verdict('qemu-11.1')

  def test_the_readmes_script_runs(self):
    with open(README, encoding='utf-8') as file:
      script = re.search(r'```python\n(.*?)```', file.read(), re.S).group(1)
    sys.argv[1:] = [path('s111-precopy')]
    exec(compile(script, 'README.md', 'exec'), {})  # pylint: disable=exec-used


if __name__ == '__main__':
  unittest.main(argv=sys.argv[:1])
