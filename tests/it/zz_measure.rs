use runpen::ipc::{Lang, Mode, RunRequest};
use crate::support::worker_driver::{Worker, request};
#[test]
fn zz_measure() {
    let n = 256 << 10;
    for unit in ["a;", "a\n", ";", "[],", "{}", "x=>x,", "`${a}`,", "a.b;", "f(a);", "let a=1;", "({a,b});", "var [a,b]=c;", "\n", "/a/;", "a:b;", "enum A{a,b}", "namespace A{export let a=1}", "class A{a;b(){}}", "type A=1;", "a<b>(c);", "'a';", "function f(a){};", "import 'a';", "import {a} from 'a';", "if(a)b;", "@a class A{@b c}", "(a=b)=>c;", "1n;", "//\n", "/**/", "var a;", "{let a}", "{function f(){}}", "for(let a;;)break;", "x\n"] {
        let reps = n / unit.len();
        let code: String = unit.repeat(reps);
        for (lang, mode) in [(Lang::Js, Mode::Repl), (Lang::Ts, Mode::Repl), (Lang::Ts, Mode::Module)] {
            // heap = text_bytes * 512 + 16 MiB in the driver, by ZZ_CODE
            let mut need = None;
            for heap in [16u64, 24, 32, 48, 64, 96, 144] {
                let mut worker = Worker::start_code((heap - 16) * (1 << 20) / 512);
                let run = worker.begin(RunRequest { lang, mode, timeout_ms: 60_000, ..request(&code) });
                let f = worker.try_finish(run);
                let f = match f { Some(f) => f, None => { println!("{unit:?} died"); break } };
                let msg = f.end.error.as_ref().map(|e| e.message.clone()).unwrap_or_default();
                if !msg.contains("too much memory") { need = Some((heap, f.end.usage.cpu_us / 1000, f.end.outcome, msg)); break; }
            }
            println!("{unit:?} {lang:?} {mode:?}: {need:?}");
        }
    }
}
