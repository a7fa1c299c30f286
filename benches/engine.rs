//! What it costs to make a fresh engine ready, and to use a global for the first time. `cargo bench --bench engine`.

mod measure;

use measure::measure;
use runpen::ipc::Settings;
use runpen::worker::bench::Engines;

const ROUNDS: usize = 4000;

fn settings() -> Settings {
    Settings {
        heap_bytes: 64 << 20,
        stack_bytes: 512 << 10,
        console_bytes: 1 << 20,
        console_entries: 10_000,
        timers: 1000,
        text_bytes: 256 << 10,
        json_bytes: 256 << 10,
        kill_grace_ms: 50,
        background_timeout_ms: 10_000,
        input_timeout_ms: 10_000,
    }
}

fn main() {
    let engines = Engines::new(settings());
    measure("build, check and drop", ROUNDS, || engines.round(None));
    println!("{:44} {} bytes", "heap of a fresh engine", engines.heap_after("0"));
    for text in [
        "0",
        "URL",
        "TextDecoder",
        "EventTarget",
        "AbortSignal",
        "structuredClone",
        "crypto",
        "performance",
        "atob",
        "fetch",
    ] {
        measure(&format!("the same with a first use of {text}"), ROUNDS, || engines.round(Some(text)));
        println!("{:44} {} bytes", format!("heap after {text}"), engines.heap_after(text));
    }
}
