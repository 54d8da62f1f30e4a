use std::ffi::CStr;
use std::fmt;
use std::os::raw::{c_char, c_void};
use std::ptr;

use migstream_sys as sys;

/// What is wrong: `code` as in FORMAT.md section 15, 0 where it is the use of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub status: i32,
    pub code: i32,
    pub offset: u64,
    pub text: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

pub(crate) fn text(from: *const c_char) -> String {
    if from.is_null() {
        return String::new();
    }
    unsafe { CStr::from_ptr(from) }.to_string_lossy().into_owned()
}

impl Error {
    pub(crate) fn of_status(status: i32) -> Error {
        let name = text(unsafe { sys::migstream_status_name(status) });
        Error { status, code: 0, offset: 0, text: name }
    }

    pub(crate) fn new(given: &sys::migstream_error, status: i32) -> Error {
        Error { status, code: given.code, offset: given.offset, text: text(given.text) }
    }
}

/// A status that is 0 or more, or the handle's last error.
pub(crate) fn check(handle: *const c_void, status: i32) -> Result<i32> {
    if status >= 0 {
        return Ok(status);
    }
    let mut error = ptr::null();
    if status == sys::MIGSTREAM_ERROR
        && unsafe { sys::migstream_last_error(handle, &mut error) } == sys::MIGSTREAM_OK
    {
        return Err(Error::new(unsafe { &*error }, status));
    }
    Err(Error::of_status(status))
}
