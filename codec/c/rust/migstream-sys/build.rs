// Where the libraries are: MIGSTREAM_LIB_DIR, or wherever the linker finds them.
use std::env;

fn main() {
    println!("cargo:rerun-if-env-changed=MIGSTREAM_LIB_DIR");
    if let Ok(folder) = env::var("MIGSTREAM_LIB_DIR") {
        println!("cargo:rustc-link-search=native={}", folder);
    }
    println!("cargo:rustc-link-lib=migstream");
    if env::var_os("CARGO_FEATURE_INSPECT").is_some() {
        println!("cargo:rustc-link-lib=migstream-inspect");
    }
}
