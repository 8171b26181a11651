#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| posten_signering::fuzz::run("evidence", input));
