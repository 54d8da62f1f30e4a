use std::ffi::CString;
use std::os::raw::c_void;
use std::ptr;

use migstream_sys as sys;

use crate::codec::bytes;
use crate::error::{text, Error, Result};

/// Something about a stream that is worth knowing: FINDINGS.md.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `MIGSTREAM_SEVERITY_...`
    pub severity: i32,
    pub id: String,
    pub offset: u64,
    pub section: String,
    pub message: String,
    /// A channel's name; empty: the main channel.
    pub file: String,
    /// What the destination's kernel does; may be empty.
    pub kernel: String,
}

/// A whole migration, out of a file that may be compressed. It is read anew for each thing that is
/// asked, so it can be no pipe.
pub struct Walk {
    handle: *mut sys::migstream_walk,
}

// A handle may move between threads; it is used through &mut alone.
unsafe impl Send for Walk {}

impl Walk {
    pub fn open(path: &str) -> Result<Walk> {
        let name = CString::new(path).map_err(|_| Error::of_status(sys::MIGSTREAM_BAD_ARGUMENT))?;
        let mut handle = ptr::null_mut();
        match unsafe { sys::migstream_walk_open(name.as_ptr(), ptr::null(), &mut handle) } {
            sys::MIGSTREAM_OK => Ok(Walk { handle }),
            sys::MIGSTREAM_ERROR => Err(Error {
                text: match std::io::Error::last_os_error() {
                    why if why.raw_os_error() != Some(0) => format!("{}: {}", path, why),
                    _ => format!("{}: cannot be read", path),
                },
                ..Error::of_status(sys::MIGSTREAM_ERROR)
            }),
            status => Err(Error::of_status(status)),
        }
    }

    fn check(&self, status: i32) -> Result<i32> {
        if status >= 0 {
            return Ok(status);
        }
        let mut error = ptr::null();
        let told = unsafe { sys::migstream_walk_last_error(self.handle, &mut error) };
        Err(if status == sys::MIGSTREAM_ERROR && told == sys::MIGSTREAM_OK {
            Error::new(unsafe { &*error }, status)
        } else {
            Error::of_status(status)
        })
    }

    /// What the stream is, as JSON.
    pub fn report(&mut self) -> Result<String> {
        let mut report = ptr::null();
        self.check(unsafe { sys::migstream_walk_report(self.handle, &mut report) })?;
        Ok(text(report))
    }

    /// What is wrong with it.
    pub fn findings(&mut self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        loop {
            let mut one = ptr::null();
            let status =
                unsafe { sys::migstream_walk_check(self.handle, findings.len(), &mut one) };
            if self.check(status)? == sys::MIGSTREAM_DONE {
                return Ok(findings);
            }
            let one = unsafe { &*one };
            findings.push(Finding {
                severity: one.severity,
                id: text(one.id),
                offset: one.offset,
                section: text(one.section),
                message: text(one.message),
                file: text(one.file),
                kernel: text(one.kernel),
            });
        }
    }

    /// The payload of one device.
    pub fn payload(&mut self, idstr: &str) -> Result<Vec<u8>> {
        let name =
            CString::new(idstr).map_err(|_| Error::of_status(sys::MIGSTREAM_BAD_ARGUMENT))?;
        let mut data: *const c_void = ptr::null();
        let mut size = 0;
        self.check(unsafe {
            sys::migstream_walk_extract(
                self.handle,
                name.as_ptr(),
                sys::MIGSTREAM_EXTRACT_PAYLOAD,
                &mut data,
                &mut size,
            )
        })?;
        Ok(unsafe { bytes(data as *const u8, size) }.to_vec())
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        unsafe { sys::migstream_walk_close(self.handle) };
    }
}
