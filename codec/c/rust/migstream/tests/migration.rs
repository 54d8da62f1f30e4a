//! A device's section, a device's migration, and a capture, through the safe crate alone.

use std::sync::{Arc, Mutex};

use migstream::{
    Action, Config, ConfigHints, Device, Dialect, Element, Error, EventKind, Load, Outcome, Result,
    Save, SectionDecoder, SectionEncoder, SectionType, Set, Step, PRE_COPY, STOP_COPY,
};

const IDSTR: &str = "0000:00:05.0/vfio";
const STOPPED: u32 = 3;
const RESUMING: u32 = 4;
const ENOMSG: i32 = 42;

#[test]
fn a_section_comes_back_however_it_is_cut() -> Result<()> {
    let mut encoder = SectionEncoder::new(SectionType::End, Dialect::V111)?;
    assert!(encoder.data(b"abc")?);
    assert!(encoder.tag(Element::EndOfState)?);
    let section: Vec<u8> = encoder.pieces().iter().flat_map(|piece| piece.to_vec()).collect();
    encoder.clear();
    assert!(encoder.pieces().is_empty());

    let mut decoder = SectionDecoder::new(SectionType::End, Dialect::Auto, 0)?;
    let mut payload = Vec::new();
    let mut taken = 0;
    for end in 0..=section.len() {
        let mut input = &section[taken..end];
        while let Step::Event(event) = decoder.next(&mut input)? {
            if event.kind == EventKind::Data {
                payload.extend_from_slice(event.payload);
            }
        }
        taken = end - input.len();
    }
    assert_eq!(taken, section.len());
    assert_eq!(payload, b"abc");
    Ok(())
}

#[test]
fn a_subsection_has_its_name_and_version() -> Result<()> {
    let pci_config = [0u8; 256];
    let mut encoder = SectionEncoder::new(SectionType::Full, Dialect::V111)?;
    assert!(encoder.config(&Config { pci_config: &pci_config, ..Config::default() })?);
    let mut section: Vec<u8> = encoder.pieces().iter().flat_map(|piece| piece.to_vec()).collect();
    // Its marker, name and version, and 28 bytes, before the END_OF_STATE of the config.
    let name = b"VFIOPCIDevice/VFIODisplay";
    let mut subsection = vec![5, name.len() as u8];
    subsection.extend_from_slice(name);
    subsection.extend_from_slice(&[0, 0, 0, 1]);
    subsection.extend_from_slice(&[7; 28]);
    let at = section.len() - 8;
    section.splice(at..at, subsection);

    let hints =
        ConfigHints { pci_config_bytes: 256, msix_vectors: Some(0), ..ConfigHints::default() };
    let mut decoder = SectionDecoder::with_hints(SectionType::Full, Dialect::V111, 0, &hints)?;
    let mut input = &section[..];
    let mut seen = 0;
    loop {
        match decoder.next(&mut input)? {
            Step::Event(event) if event.kind == EventKind::Subsection => {
                assert_eq!((event.name, event.version), (&name[..], 1));
                assert_eq!(event.payload, &[7; 28]);
                seen += 1;
            }
            Step::Event(event) => assert!(event.name.is_empty()),
            step => {
                assert_eq!((step, seen), (Step::Done, 1));
                return Ok(());
            }
        }
    }
}

#[test]
fn a_config_of_unknown_size_is_given_at_the_end_of_input() -> Result<()> {
    let pci_config = [0u8; 256];
    let mut encoder = SectionEncoder::new(SectionType::Full, Dialect::V111)?;
    assert!(encoder.config(&Config { pci_config: &pci_config, ..Config::default() })?);
    let section: Vec<u8> = encoder.pieces().iter().flat_map(|piece| piece.to_vec()).collect();

    let mut decoder = SectionDecoder::new(SectionType::Full, Dialect::V111, 0)?;
    let mut input = &section[..];
    assert_eq!(decoder.next(&mut input)?, Step::NeedInput);
    assert!(decoder.at_end_of_input(input)?);
    match decoder.next(&mut input)? {
        Step::Event(event) => assert_eq!(event.config.unwrap().pci_config, &pci_config),
        step => panic!("{:?}", step),
    }
    Ok(())
}

#[test]
fn damage_is_an_error_with_its_place() {
    let mut decoder = SectionDecoder::new(SectionType::End, Dialect::V111, 100).unwrap();
    let mut input: &[u8] = &[0u8; 16];
    let error = decoder.next(&mut input).unwrap_err();
    assert_eq!((error.code, error.offset), (200, 100));
    assert!(error.to_string().contains("unknown tag"), "{}", error);
}

#[derive(Default)]
struct Memory {
    state: u32,
    given: usize,
    bytes: Vec<u8>,
}

/// Its errors are no errno values.
struct BrokenDevice(MemoryDevice);

impl Device for BrokenDevice {
    fn set_state(&mut self, state: u32) -> std::result::Result<bool, i32> {
        self.0.set_state(state)
    }
    fn state(&mut self) -> std::result::Result<u32, i32> {
        self.0.state()
    }
    fn reset(&mut self) -> std::result::Result<(), i32> {
        self.0.reset()
    }
    fn read(&mut self, _: &mut [u8]) -> std::result::Result<usize, i32> {
        Err(0)
    }
    fn write(&mut self, _: &[u8]) -> std::result::Result<usize, i32> {
        Err(-5)
    }
}

#[test]
fn an_error_that_is_no_errno_is_an_error() {
    assert!(save(BrokenDevice(MemoryDevice::new(b"abc"))).is_err());
}

#[derive(Clone, Default)]
struct MemoryDevice(Arc<Mutex<Memory>>);

impl MemoryDevice {
    fn new(bytes: &[u8]) -> MemoryDevice {
        MemoryDevice(Arc::new(Mutex::new(Memory { state: 2, given: 0, bytes: bytes.to_vec() })))
    }
}

impl Device for MemoryDevice {
    fn flags(&self) -> u64 {
        STOP_COPY | PRE_COPY
    }
    fn set_state(&mut self, state: u32) -> std::result::Result<bool, i32> {
        let mut memory = self.0.lock().unwrap();
        let saving = |state| state == 3 || state == 6 || state == 7;
        let is_new = if state == RESUMING {
            memory.bytes.clear();
            true
        } else {
            saving(state) && !saving(memory.state)
        };
        memory.state = state;
        Ok(is_new)
    }
    fn state(&mut self) -> std::result::Result<u32, i32> {
        Ok(self.0.lock().unwrap().state)
    }
    fn reset(&mut self) -> std::result::Result<(), i32> {
        self.0.lock().unwrap().state = 2;
        Ok(())
    }
    fn read(&mut self, buffer: &mut [u8]) -> std::result::Result<usize, i32> {
        let mut memory = self.0.lock().unwrap();
        let stopped = memory.state == STOPPED;
        let end = if stopped { memory.bytes.len() } else { memory.bytes.len() / 2 };
        let count = buffer.len().min(end - memory.given);
        if count == 0 {
            return if stopped { Ok(0) } else { Err(ENOMSG) };
        }
        let from = memory.given;
        buffer[..count].copy_from_slice(&memory.bytes[from..from + count]);
        memory.given += count;
        Ok(count)
    }
    fn write(&mut self, data: &[u8]) -> std::result::Result<usize, i32> {
        self.0.lock().unwrap().bytes.extend_from_slice(data);
        Ok(data.len())
    }
    fn precopy_bytes(&mut self) -> std::result::Result<(u64, u64), i32> {
        let memory = self.0.lock().unwrap();
        Ok(((memory.bytes.len() / 2 - memory.given) as u64, 0))
    }
    fn stop_copy_bytes(&mut self) -> std::result::Result<u64, i32> {
        let memory = self.0.lock().unwrap();
        Ok((memory.bytes.len() - memory.given) as u64)
    }
}

fn save(device: impl Device + 'static) -> Result<Vec<u8>> {
    let mut stream = Vec::new();
    let mut set = Set::new()?;
    set.add(device, IDSTR, 0)?;
    let mut session = Save::new(&mut set, Dialect::V111, |pieces| {
        pieces.iter().for_each(|piece| stream.extend_from_slice(piece));
        Ok(())
    })?;
    session.write_head("pc-q35-11.1")?;
    session.start()?;
    while session.iterate(1 << 20)?.is_some() {}
    assert!(session.switchover()?);
    let pci_config = [0u8; 256];
    session.complete(&[Config { pci_config: &pci_config, ..Config::default() }])?;
    // Without a return path nobody says what came of it.
    assert!(matches!(session.finish()?, Outcome::Unknown(_)));
    drop(set);
    Ok(stream)
}

fn load(device: MemoryDevice, stream: &[u8]) -> Result<Outcome> {
    let mut set = Set::new()?;
    set.add(device, IDSTR, 0)?;
    let hints =
        [ConfigHints { pci_config_bytes: 256, msix_vectors: Some(0), ..ConfigHints::default() }];
    let mut session = Load::with_hints(&mut set, Dialect::V111, &hints)?;
    session.start()?;
    let mut input = stream;
    let mut configs = 0;
    loop {
        while let Step::Event(action) = session.next(&mut input)? {
            if let Action::ApplyConfig(0, config) = action {
                assert_eq!(config.pci_config.len(), 256);
                configs += 1;
            }
        }
        // What is cut off shows in the outcome.
        if !session.at_end_of_input(input).unwrap_or(false) {
            break;
        }
    }
    let outcome = session.finish()?;
    if outcome == Outcome::Completed {
        assert_eq!(configs, 1);
        set.run()?;
    }
    Ok(outcome)
}

#[test]
fn a_device_is_saved_and_loaded() -> Result<()> {
    let state: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
    let stream = save(MemoryDevice::new(&state))?;
    let destination = MemoryDevice::new(b"");
    assert_eq!(load(destination.clone(), &stream)?, Outcome::Completed);
    let memory = destination.0.lock().unwrap();
    assert_eq!((memory.state, &memory.bytes), (2, &state));
    Ok(())
}

#[test]
fn a_stream_that_is_cut_leaves_a_device_that_was_reset() -> Result<()> {
    let stream = save(MemoryDevice::new(&[1; 1000]))?;
    let destination = MemoryDevice::new(b"");
    let outcome = load(destination.clone(), &stream[..stream.len() / 2])?;
    assert!(matches!(outcome, Outcome::Aborted(Error { .. })), "{:?}", outcome);
    assert_eq!(destination.0.lock().unwrap().state, 2);
    Ok(())
}

#[cfg(feature = "inspect")]
#[test]
fn a_capture_has_a_report_and_its_payload() -> Result<()> {
    let path = match std::env::var("MIGSTREAM_CAPTURE") {
        Ok(path) => path,
        Err(_) => return Ok(()),
    };
    let mut walk = migstream::Walk::open(&path)?;
    assert!(walk.report()?.contains("\"machineType\""));
    assert!(walk.findings()?.iter().all(|finding| finding.severity < 2));
    assert!(!walk.payload(IDSTR)?.is_empty());
    assert!(walk.payload("no such device").is_err());
    let error = migstream::Walk::open("/no/such/file").err().unwrap();
    assert!(error.to_string().starts_with("/no/such/file: No such file"), "{}", error);
    Ok(())
}
