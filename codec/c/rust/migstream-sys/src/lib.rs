//! The C interface of libmigstream, made of its headers, which say what each of this is. The crate
//! `migstream` is the safe one.
#![allow(non_camel_case_types)]

use std::os::raw::{c_char, c_int, c_void};

/// As in `<sys/uio.h>`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iovec {
    pub iov_base: *mut c_void,
    pub iov_len: usize,
}

include!("interface.rs");
