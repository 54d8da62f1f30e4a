use std::ffi::CString;
use std::io::IoSlice;
use std::os::raw::{c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::{mem, ptr, slice};

use migstream_sys as sys;

use crate::codec::{at_end_of_input, bytes, iovec, Config, ConfigHints, Dialect, Step};
use crate::error::{check, Error, Result};

pub const STOP_COPY: u64 = sys::MIGSTREAM_MIGRATION_STOP_COPY as u64;
pub const PRE_COPY: u64 = sys::MIGSTREAM_MIGRATION_PRE_COPY as u64;

const EIO: i32 = 5;
const ENOTSUP: i32 = 95;

/// A device that can be saved and loaded. It does what it is told; errors are errno values.
pub trait Device: Send {
    /// `STOP_COPY`, and `PRE_COPY` where it has that.
    fn flags(&self) -> u64 {
        STOP_COPY
    }
    /// The kernel's numbers; true: a new session of data has begun.
    fn set_state(&mut self, state: u32) -> std::result::Result<bool, i32>;
    fn state(&mut self) -> std::result::Result<u32, i32>;
    /// Any state becomes RUNNING.
    fn reset(&mut self) -> std::result::Result<(), i32>;
    /// As read(2) of the session that is open.
    fn read(&mut self, buffer: &mut [u8]) -> std::result::Result<usize, i32>;
    fn write(&mut self, data: &[u8]) -> std::result::Result<usize, i32>;
    /// Of PRE_COPY's data: initial and dirty bytes.
    fn precopy_bytes(&mut self) -> std::result::Result<(u64, u64), i32> {
        Err(ENOTSUP)
    }
    fn stop_copy_bytes(&mut self) -> std::result::Result<u64, i32> {
        Err(ENOTSUP)
    }
}

type Boxed = Box<dyn Device>;

/// A panic does not get into the library.
fn call<T>(
    context: *mut c_void,
    run: impl FnOnce(&mut Boxed) -> std::result::Result<T, i32>,
) -> std::result::Result<T, i32> {
    // The set's, which no one else uses within a call: see Set::add().
    let device = unsafe { &mut *(context as *mut Boxed) };
    catch_unwind(AssertUnwindSafe(|| run(device))).unwrap_or(Err(EIO))
}

/// What is no errno value would be taken for success.
fn negative(errno: i32) -> c_int {
    if errno > 0 {
        -errno
    } else {
        -EIO
    }
}

unsafe extern "C" fn set_state(context: *mut c_void, state: u32, new_session: *mut c_int) -> c_int {
    match call(context, |device| device.set_state(state)) {
        Ok(is_new) => {
            *new_session = is_new as c_int;
            0
        }
        Err(errno) => negative(errno),
    }
}

unsafe extern "C" fn get_state(context: *mut c_void, state: *mut u32) -> c_int {
    match call(context, |device| device.state()) {
        Ok(is) => {
            *state = is;
            0
        }
        Err(errno) => negative(errno),
    }
}

unsafe extern "C" fn reset(context: *mut c_void) -> c_int {
    call(context, |device| device.reset()).map_or_else(negative, |()| 0)
}

unsafe extern "C" fn read(context: *mut c_void, buffer: *mut c_void, size: usize) -> i64 {
    if size == 0 {
        return 0;
    }
    let buffer = slice::from_raw_parts_mut(buffer as *mut u8, size);
    call(context, |device| device.read(buffer)).map_or_else(|errno| negative(errno).into(), |n| n as i64)
}

unsafe extern "C" fn write(context: *mut c_void, data: *const c_void, size: usize) -> i64 {
    let data = bytes(data as *const u8, size);
    call(context, |device| device.write(data)).map_or_else(|errno| negative(errno).into(), |n| n as i64)
}

unsafe extern "C" fn get_precopy_bytes(
    context: *mut c_void,
    initial: *mut u64,
    dirty: *mut u64,
    reinit: *mut c_int,
) -> c_int {
    match call(context, |device| device.precopy_bytes()) {
        Ok(left) => {
            *initial = left.0;
            *dirty = left.1;
            *reinit = 0;
            0
        }
        Err(errno) => negative(errno),
    }
}

unsafe extern "C" fn get_stop_copy_bytes(context: *mut c_void, left: *mut u64) -> c_int {
    match call(context, |device| device.stop_copy_bytes()) {
        Ok(all) => {
            *left = all;
            0
        }
        Err(errno) => negative(errno),
    }
}

/// Devices that move together.
pub struct Set {
    handle: *mut sys::migstream_set,
    // What the library's devices point at: owned, but no Box, which could not be pointed at meanwhile.
    devices: Vec<*mut Boxed>,
}

impl Set {
    pub fn new() -> Result<Set> {
        let mut handle = ptr::null_mut();
        check(ptr::null(), unsafe { sys::migstream_set_create(ptr::null(), &mut handle) })?;
        Ok(Set { handle, devices: Vec::new() })
    }

    /// The idstr and the instance id are those of the device's sections.
    pub fn add(&mut self, device: impl Device + 'static, idstr: &str, instance: u32) -> Result<()> {
        let name = CString::new(idstr)
            .map_err(|_| Error::of_status(sys::MIGSTREAM_BAD_ARGUMENT))?;
        let boxed: Boxed = Box::new(device);
        let functions = sys::migstream_device_functions {
            struct_size: mem::size_of::<sys::migstream_device_functions>(),
            set_state: Some(set_state),
            get_state: Some(get_state),
            drop_session: None,
            reset: Some(reset),
            read: Some(read),
            write: Some(write),
            wait: None,
            get_precopy_bytes: Some(get_precopy_bytes),
            get_stop_copy_bytes: Some(get_stop_copy_bytes),
            start_reading: None,
            start_writing: None,
        };
        let mut options: sys::migstream_device_options = unsafe { mem::zeroed() };
        options.struct_size = mem::size_of_val(&options);
        options.functions = &functions;
        options.flags = boxed.flags();
        let context = Box::into_raw(Box::new(boxed));
        self.devices.push(context);
        options.context = context as *mut c_void;
        let mut own = ptr::null_mut();
        check(ptr::null(), unsafe { sys::migstream_device_create(&options, &mut own) })?;
        let status = unsafe { sys::migstream_set_add(self.handle, own, name.as_ptr(), instance) };
        // The set keeps it.
        unsafe { sys::migstream_destroy(own as *mut c_void) };
        self.check(status)
    }

    /// After a load that has completed.
    pub fn run(&mut self) -> Result<()> {
        self.check(unsafe { sys::migstream_set_run(self.handle) })
    }

    fn check(&self, status: i32) -> Result<()> {
        check(self.handle as *const c_void, status).map(|_| ())
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        unsafe { sys::migstream_destroy(self.handle as *mut c_void) };
        for device in self.devices.drain(..) {
            // From Box::into_raw(); nothing points at it any more.
            drop(unsafe { Box::from_raw(device) });
        }
    }
}

/// How a migration ended, for one of its sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Aborted(Error),
    /// Nobody may run the guest at the source unasked.
    Unknown(Error),
}

fn outcome(handle: *const c_void, number: i32) -> Outcome {
    let why = || match check(handle, sys::MIGSTREAM_ERROR) {
        Err(error) => error,
        Ok(_) => Error::of_status(sys::MIGSTREAM_ERROR),
    };
    match number {
        sys::MIGSTREAM_OUTCOME_COMPLETED => Outcome::Completed,
        sys::MIGSTREAM_OUTCOME_ABORTED => Outcome::Aborted(why()),
        _ => Outcome::Unknown(why()),
    }
}

type Writer<'s> = Box<dyn FnMut(&[IoSlice<'_>]) -> std::result::Result<(), i32> + 's>;

unsafe extern "C" fn write_pieces(
    context: *mut c_void,
    _channel: u32,
    pieces: *const sys::iovec,
    count: c_int,
) -> c_int {
    let writer = &mut *(context as *mut Writer<'_>);
    // An IoSlice has the layout of an iovec.
    let pieces = slice::from_raw_parts(pieces as *const IoSlice<'_>, count as usize);
    match catch_unwind(AssertUnwindSafe(|| writer(pieces))) {
        Ok(Ok(())) => 0,
        Ok(Err(errno)) => negative(errno),
        Err(_) => -EIO,
    }
}

/// Saves the devices of a set over one channel, without a return path.
pub struct Save<'s> {
    handle: *mut sys::migstream_save,
    // Owned, as Set's devices are.
    writer: *mut Writer<'s>,
    _set: &'s mut Set,
}

impl<'s> Save<'s> {
    /// `write` has to write all of the pieces; errors are errno values.
    pub fn new(
        set: &'s mut Set,
        dialect: Dialect,
        write: impl FnMut(&[IoSlice<'_>]) -> std::result::Result<(), i32> + 's,
    ) -> Result<Save<'s>> {
        let write: Writer<'s> = Box::new(write);
        let mut options: sys::migstream_save_options = unsafe { mem::zeroed() };
        options.struct_size = mem::size_of_val(&options);
        options.dialect = dialect as i32;
        options.no_return_path = 1;
        let writer = Box::into_raw(Box::new(write));
        options.context = writer as *mut c_void;
        options.write = Some(write_pieces);
        let mut handle = ptr::null_mut();
        let status = unsafe { sys::migstream_save_create(set.handle, &options, &mut handle) };
        // From here on it is freed with the session, which may be none: destroying null is fine.
        let save = Save { handle, writer, _set: set };
        check(ptr::null(), status)?;
        Ok(save)
    }

    fn check(&self, status: i32) -> Result<i32> {
        check(self.handle as *const c_void, status)
    }

    /// Header and CONFIGURATION, for a VMM without sections before these.
    pub fn write_head(&mut self, machine_type: &str) -> Result<()> {
        let name = CString::new(machine_type)
            .map_err(|_| Error::of_status(sys::MIGSTREAM_BAD_ARGUMENT))?;
        self.check(unsafe { sys::migstream_save_write_head(self.handle, name.as_ptr()) })?;
        Ok(())
    }

    /// PRE_COPY begins, and the guest runs on.
    pub fn start(&mut self) -> Result<()> {
        self.check(unsafe { sys::migstream_save_start(self.handle) })?;
        Ok(())
    }

    /// The bytes that were written; none: no device had any more.
    pub fn iterate(&mut self, max_bytes: u64) -> Result<Option<u64>> {
        let mut written = 0;
        let status =
            unsafe { sys::migstream_save_iterate(self.handle, max_bytes, &mut written) };
        Ok(if self.check(status)? == sys::MIGSTREAM_DONE { None } else { Some(written) })
    }

    /// The vCPUs are stopped. False: a device has new initial data, let the guest run on.
    pub fn switchover(&mut self) -> Result<bool> {
        let status = unsafe { sys::migstream_save_switchover(self.handle) };
        Ok(self.check(status)? == sys::MIGSTREAM_OK)
    }

    /// What is left in the devices, and their configs in the order of the set; then the end.
    pub fn complete(&mut self, configs: &[Config<'_>]) -> Result<()> {
        let given: Vec<_> = configs.iter().map(|config| config.c()).collect();
        let pointers: Vec<*const sys::migstream_config> =
            given.iter().map(|config| config as *const _).collect();
        self.check(unsafe {
            sys::migstream_save_complete(self.handle, pointers.as_ptr(), pointers.len())
        })?;
        self.check(unsafe { sys::migstream_save_write_eof(self.handle, ptr::null(), 0) })?;
        Ok(())
    }

    pub fn finish(self) -> Result<Outcome> {
        let mut number = 0;
        self.check(unsafe { sys::migstream_save_finish(self.handle, &mut number) })?;
        Ok(outcome(self.handle as *const c_void, number))
    }
}

impl Drop for Save<'_> {
    fn drop(&mut self) {
        unsafe { sys::migstream_destroy(self.handle as *mut c_void) };
        // From Box::into_raw(); the session that called it is gone.
        drop(unsafe { Box::from_raw(self.writer) });
    }
}

/// What a VMM has to do while it loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Something that is not a device of the set; the number is that of `migstream.h`.
    Stream(i32),
    /// The source listens for replies.
    OpenReturnPath,
    /// The type and value of a message for the return path.
    Reply(i32, u32),
    /// The config of a device, by its number in the set.
    ApplyConfig(usize, Config<'a>),
}

/// Loads the devices of a set from one channel.
pub struct Load<'s> {
    handle: *mut sys::migstream_load,
    _set: &'s mut Set,
}

impl<'s> Load<'s> {
    pub fn new(set: &'s mut Set, dialect: Dialect) -> Result<Load<'s>> {
        Self::with_hints(set, dialect, &[])
    }

    /// With what is known of the devices' configs, for none or for each of the set.
    pub fn with_hints(
        set: &'s mut Set,
        dialect: Dialect,
        hints: &[ConfigHints],
    ) -> Result<Load<'s>> {
        let given: Vec<_> = hints.iter().map(|hint| hint.c()).collect();
        let pointers: Vec<*const sys::migstream_config_hints> =
            given.iter().map(|hint| hint as *const _).collect();
        let mut options: sys::migstream_load_options = unsafe { mem::zeroed() };
        options.struct_size = mem::size_of_val(&options);
        options.dialect = dialect as i32;
        options.hints = pointers.as_ptr();
        options.hint_count = pointers.len();
        let mut handle = ptr::null_mut();
        let status = unsafe { sys::migstream_load_create(set.handle, &options, &mut handle) };
        check(ptr::null(), status)?;
        Ok(Load { handle, _set: set })
    }

    fn check(&self, status: i32) -> Result<i32> {
        check(self.handle as *const c_void, status)
    }

    /// All devices are fresh, and can be loaded.
    pub fn start(&mut self) -> Result<()> {
        self.check(unsafe { sys::migstream_load_start(self.handle) })?;
        Ok(())
    }

    /// Takes from the front of `input`; the devices' own data goes to them.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Step<Action<'a>>> {
        let mut rest = iovec(input);
        let mut action = ptr::null();
        let status = unsafe { sys::migstream_load_next(self.handle, &mut rest, &mut action) };
        *input = &input[input.len() - rest.iov_len..];
        match self.check(status)? {
            sys::MIGSTREAM_EVENT => {}
            sys::MIGSTREAM_NEED_INPUT => return Ok(Step::NeedInput),
            _ => return Ok(Step::Done),
        }
        Ok(Step::Event(unsafe {
            let given = &*action;
            match given.kind {
                sys::MIGSTREAM_ACTION_STREAM => Action::Stream((*given.event).kind),
                sys::MIGSTREAM_ACTION_OPEN_RETURN_PATH => Action::OpenReturnPath,
                sys::MIGSTREAM_ACTION_REPLY => {
                    Action::Reply((*given.reply).type_, (*given.reply).value)
                }
                _ => Action::ApplyConfig(given.device, Config::of(&*given.config)),
            }
        }))
    }

    /// Nothing will follow `left`. True: `next` has more to give, and needs it again.
    pub fn at_end_of_input(&mut self, left: &[u8]) -> Result<bool> {
        at_end_of_input(self.handle as *mut c_void, left)
    }

    /// The devices judge what they were given; after `Completed` the set may run.
    pub fn finish(self) -> Result<Outcome> {
        let mut number = 0;
        let mut shut = ptr::null();
        self.check(unsafe { sys::migstream_load_finish(self.handle, &mut number, &mut shut) })?;
        Ok(outcome(self.handle as *const c_void, number))
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        unsafe { sys::migstream_destroy(self.handle as *mut c_void) };
    }
}
