//! Encodes and decodes what QEMU writes when it migrates VFIO devices, over libmigstream.
//!
//! ```no_run
//! # fn load(_: &[u8]) {}
//! # fn example(mut input: &[u8]) -> Result<(), migstream::Error> {
//! use migstream::{Dialect, SectionDecoder, SectionType, Step};
//!
//! let mut decoder = SectionDecoder::new(SectionType::Part, Dialect::Auto, 0)?;
//! while let Step::Event(event) = decoder.next(&mut input)? {
//!     load(event.payload);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Payload is never copied: events are views of the input. With the feature `inspect`, which is on
//! unless it is turned off, [`Walk`] reads whole migrations out of files.

mod codec;
mod error;
mod session;
#[cfg(feature = "inspect")]
mod walk;

pub use codec::{
    Config, ConfigHints, Dialect, Element, Event, EventKind, SectionDecoder, SectionEncoder,
    SectionType, Step,
};
pub use error::{Error, Result};
pub use session::{Action, Device, Load, Outcome, Save, Set, PRE_COPY, STOP_COPY};
#[cfg(feature = "inspect")]
pub use walk::{Finding, Walk};

/// The release of the library that is linked.
pub fn version() -> &'static str {
    let text = unsafe { std::ffi::CStr::from_ptr(migstream_sys::migstream_version()) };
    text.to_str().unwrap_or("")
}
