//! Writes into the binary what it is made from and with; `src/native/build-addon.ts` knows the hash and passes it on.

use std::env;
use std::process::Command;

fn main() {
    napi_build::setup();
    println!("cargo:rerun-if-env-changed=WILDFIRE_SOURCE_HASH");
    println!("cargo:rustc-env=WILDFIRE_SOURCE_HASH={}", env::var("WILDFIRE_SOURCE_HASH").unwrap_or_default());
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let tools = [first_line(&rustc), first_line("cc"), first_line("ld")];
    println!("cargo:rustc-env=WILDFIRE_TOOLCHAIN={}", tools.join(", "));
}

/// What a program says to --version, up to the first line's end; empty where there is no such program.
fn first_line(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}
