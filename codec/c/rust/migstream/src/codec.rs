use std::io::IoSlice;
use std::os::raw::c_void;
use std::{mem, ptr, slice};

use migstream_sys as sys;

use crate::error::{check, Result};

/// Which releases of QEMU write a stream: FORMAT.md section 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Dialect {
    Auto = sys::MIGSTREAM_DIALECT_AUTO,
    V52 = sys::MIGSTREAM_DIALECT_V52,
    V60 = sys::MIGSTREAM_DIALECT_V60,
    V80 = sys::MIGSTREAM_DIALECT_V80,
    V81 = sys::MIGSTREAM_DIALECT_V81,
    V100 = sys::MIGSTREAM_DIALECT_V100,
    V100M = sys::MIGSTREAM_DIALECT_V100M,
    V101M = sys::MIGSTREAM_DIALECT_V101M,
    V111 = sys::MIGSTREAM_DIALECT_V111,
    V111M = sys::MIGSTREAM_DIALECT_V111M,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum SectionType {
    Start = sys::MIGSTREAM_SECTION_START,
    Part = sys::MIGSTREAM_SECTION_PART,
    End = sys::MIGSTREAM_SECTION_END,
    Full = sys::MIGSTREAM_SECTION_FULL,
}

/// An element that is its tag alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Element {
    Setup = sys::MIGSTREAM_ELEMENT_SETUP,
    EndOfState = sys::MIGSTREAM_ELEMENT_END_OF_STATE,
    InitDataSent = sys::MIGSTREAM_ELEMENT_INIT_DATA_SENT,
    ConfigLoadReady = sys::MIGSTREAM_ELEMENT_CONFIG_LOAD_READY,
}

/// The outcome of a decoder's step; damage is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<E> {
    Event(E),
    /// What is left of the input has to come again, with more behind it.
    NeedInput,
    /// The input begins with what follows.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// `element` alone.
    Tag,
    /// A record, or a piece of one: `payload`.
    Data,
    Config,
    Subsection,
    ConfigEnd,
}

/// A config payload's parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config<'a> {
    /// 256 or 4096 bytes.
    pub pci_config: &'a [u8],
    pub irq_state: [u32; 4],
    pub msix_table: &'a [u8],
    pub msix_pba: &'a [u8],
}

/// What a [`SectionDecoder`] found; views of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    pub kind: EventKind,
    /// As in `migstream.h`.
    pub element: i32,
    pub offset: u64,
    pub payload: &'a [u8],
    pub record_bytes: u64,
    pub record_offset: u64,
    pub config: Option<Config<'a>>,
    /// A subsection's, which has a version as well.
    pub name: &'a [u8],
    pub version: u32,
}

/// Bytes that the library lends.
pub(crate) unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 {
        &[]
    } else {
        slice::from_raw_parts(data, size)
    }
}

pub(crate) fn iovec(input: &[u8]) -> sys::iovec {
    sys::iovec { iov_base: input.as_ptr() as *mut c_void, iov_len: input.len() }
}

pub(crate) fn at_end_of_input(decoder: *mut c_void, left: &[u8]) -> Result<bool> {
    let status = unsafe { sys::migstream_at_end_of_input(decoder, &iovec(left)) };
    Ok(check(decoder, status)? == sys::MIGSTREAM_EVENT)
}

impl<'a> Config<'a> {
    pub(crate) unsafe fn of(given: &sys::migstream_config) -> Config<'a> {
        Config {
            pci_config: bytes(given.pci_config, given.pci_config_bytes),
            irq_state: given.irq_state,
            msix_table: bytes(given.msix_table, given.msix_table_bytes),
            msix_pba: bytes(given.msix_pba, given.msix_pba_bytes),
        }
    }

    pub(crate) fn c(&self) -> sys::migstream_config {
        sys::migstream_config {
            struct_size: mem::size_of::<sys::migstream_config>(),
            version: 0,
            pci_config: self.pci_config.as_ptr(),
            pci_config_bytes: self.pci_config.len(),
            irq_state: self.irq_state,
            msix_table: self.msix_table.as_ptr(),
            msix_table_bytes: self.msix_table.len(),
            msix_pba: self.msix_pba.as_ptr(),
            msix_pba_bytes: self.msix_pba.len(),
            subsections: ptr::null(),
            subsection_count: 0,
        }
    }
}

/// What is known beforehand of a device's config. A live destination should say all: else its decoder
/// may wait for bytes that come after the section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConfigHints {
    /// Of the whole FULL section; 0: unknown.
    pub content_bytes: u64,
    /// 256 or 4096; 0: unknown.
    pub pci_config_bytes: u32,
    /// 0 for a device without MSI-X; `None`: unknown.
    pub msix_vectors: Option<u32>,
    /// The id of the section that a footer must close; `None`: none needs to.
    pub footer_section_id: Option<u32>,
}

impl ConfigHints {
    pub(crate) fn c(&self) -> sys::migstream_config_hints {
        sys::migstream_config_hints {
            struct_size: mem::size_of::<sys::migstream_config_hints>(),
            content_bytes: self.content_bytes,
            pci_config_bytes: self.pci_config_bytes,
            has_msix_vectors: self.msix_vectors.is_some() as i32,
            msix_vectors: self.msix_vectors.unwrap_or(0),
            has_footer: self.footer_section_id.is_some() as i32,
            footer_section_id: self.footer_section_id.unwrap_or(0),
        }
    }
}

fn options(type_: SectionType, dialect: Dialect, offset: u64) -> sys::migstream_section_options {
    let mut options: sys::migstream_section_options = unsafe { mem::zeroed() };
    options.struct_size = mem::size_of_val(&options);
    options.type_ = type_ as i32;
    options.dialect = dialect as i32;
    options.offset = offset;
    options
}

/// Decodes one section of a VFIO device, between its header and its footer.
pub struct SectionDecoder {
    handle: *mut sys::migstream_section_decoder,
}

// A handle may move between threads; it is used through &mut alone.
unsafe impl Send for SectionDecoder {}

impl SectionDecoder {
    /// `offset` is that of the section's content in the stream.
    pub fn new(type_: SectionType, dialect: Dialect, offset: u64) -> Result<SectionDecoder> {
        Self::with_hints(type_, dialect, offset, &ConfigHints::default())
    }

    /// For a FULL section: with what is known of its config.
    pub fn with_hints(
        type_: SectionType,
        dialect: Dialect,
        offset: u64,
        hints: &ConfigHints,
    ) -> Result<SectionDecoder> {
        let mut handle = ptr::null_mut();
        let hints = hints.c();
        let mut options = options(type_, dialect, offset);
        options.config = &hints;
        let status = unsafe { sys::migstream_section_decoder_create(&options, &mut handle) };
        check(ptr::null(), status)?;
        Ok(SectionDecoder { handle })
    }

    /// Takes from the front of `input`.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Step<Event<'a>>> {
        let mut rest = iovec(input);
        let mut event = ptr::null();
        let status =
            unsafe { sys::migstream_section_decoder_next(self.handle, &mut rest, &mut event) };
        *input = &input[input.len() - rest.iov_len..];
        Ok(match check(self.handle as *const c_void, status)? {
            sys::MIGSTREAM_EVENT => Step::Event(unsafe { Self::event(&*event) }),
            sys::MIGSTREAM_NEED_INPUT => Step::NeedInput,
            _ => Step::Done,
        })
    }

    /// Nothing will follow `left`. True: `next` has more to give, and needs it again.
    pub fn at_end_of_input(&mut self, left: &[u8]) -> Result<bool> {
        at_end_of_input(self.handle as *mut c_void, left)
    }

    unsafe fn event<'a>(given: &sys::migstream_event) -> Event<'a> {
        Event {
            kind: match given.kind {
                sys::MIGSTREAM_EVENT_TAG => EventKind::Tag,
                sys::MIGSTREAM_EVENT_DATA => EventKind::Data,
                sys::MIGSTREAM_EVENT_CONFIG => EventKind::Config,
                sys::MIGSTREAM_EVENT_SUBSECTION => EventKind::Subsection,
                _ => EventKind::ConfigEnd,
            },
            element: given.element,
            offset: given.offset,
            payload: bytes(given.payload, given.payload_bytes),
            record_bytes: given.record_bytes,
            record_offset: given.record_offset,
            config: given.config.as_ref().map(|config| Config::of(config)),
            name: bytes(given.name as *const u8, given.name_bytes),
            version: given.version,
        }
    }
}

impl Drop for SectionDecoder {
    fn drop(&mut self) {
        unsafe { sys::migstream_destroy(self.handle as *mut c_void) };
    }
}

/// Encodes one section of a VFIO device; `'p` is that of the payloads, which it does not copy.
pub struct SectionEncoder<'p> {
    handle: *mut sys::migstream_section_encoder,
    payloads: std::marker::PhantomData<&'p [u8]>,
}

// As SectionDecoder; pieces() only reads.
unsafe impl Send for SectionEncoder<'_> {}

impl<'p> SectionEncoder<'p> {
    pub fn new(type_: SectionType, dialect: Dialect) -> Result<SectionEncoder<'p>> {
        let mut handle = ptr::null_mut();
        let options = options(type_, dialect, 0);
        let status = unsafe { sys::migstream_section_encoder_create(&options, &mut handle) };
        check(ptr::null(), status)?;
        Ok(SectionEncoder { handle, payloads: std::marker::PhantomData })
    }

    /// False where the pieces have to be written and cleared first.
    fn put(&mut self, status: i32) -> Result<bool> {
        Ok(check(self.handle as *const c_void, status)? != sys::MIGSTREAM_FULL)
    }

    pub fn tag(&mut self, element: Element) -> Result<bool> {
        let status = unsafe { sys::migstream_section_encoder_tag(self.handle, element as i32) };
        self.put(status)
    }

    /// A whole DATA record.
    pub fn data(&mut self, payload: &'p [u8]) -> Result<bool> {
        let status = unsafe {
            sys::migstream_section_encoder_data(
                self.handle,
                payload.as_ptr() as *const c_void,
                payload.len(),
            )
        };
        self.put(status)
    }

    /// CONFIG with its payload and the END_OF_STATE that closes it.
    pub fn config(&mut self, config: &Config<'p>) -> Result<bool> {
        let given = config.c();
        let status = unsafe { sys::migstream_section_encoder_config(self.handle, &given) };
        if !self.put(status)? {
            return Ok(false);
        }
        let status = unsafe { sys::migstream_section_encoder_end_config(self.handle) };
        self.put(status)
    }

    /// What is to be written, in order. Headers are the encoder's own, so that no piece outlives it:
    ///
    /// ```compile_fail
    /// # use migstream::{Dialect, SectionEncoder, SectionType};
    /// let encoder = SectionEncoder::new(SectionType::End, Dialect::V111).unwrap();
    /// let piece = encoder.pieces()[0];
    /// drop(encoder);
    /// println!("{}", piece.len());
    /// ```
    pub fn pieces(&self) -> &[IoSlice<'_>] {
        let mut pieces = ptr::null();
        let mut count = 0;
        let handle = self.handle as *const c_void;
        let status = unsafe { sys::migstream_get_pieces(handle, &mut pieces, &mut count) };
        if status != sys::MIGSTREAM_OK || count == 0 {
            return &[];
        }
        // An IoSlice has the layout of an iovec.
        unsafe { slice::from_raw_parts(pieces as *const IoSlice<'_>, count as usize) }
    }

    /// They are written.
    pub fn clear(&mut self) {
        unsafe { sys::migstream_clear_pieces(self.handle as *mut c_void) };
    }
}

impl Drop for SectionEncoder<'_> {
    fn drop(&mut self) {
        unsafe { sys::migstream_destroy(self.handle as *mut c_void) };
    }
}
