#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| runpen_fuzz::gate(data));
