//! The safe crate, compiled by rustc alone: prints the bytes of a device's payload.
//! usage: decode STREAM DEVICE

use migstream::Walk;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut walk = Walk::open(&arguments[1])?;
    println!("{}", walk.payload(&arguments[2])?.len());
    Ok(())
}
