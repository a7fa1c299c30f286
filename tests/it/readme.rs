//! The documentation is true: its commands print what it says, its messages are the real ones, its numbers those of the program.
//! Its browser examples are executed by `static/e2e/readme.mjs`.

use std::path::Path;

use runpen::protocol::{ClientLimits, ClientMessage};
use serde_json::Value;

use crate::support::markdown::{blocks, examples, is_like, read};
use crate::support::samples::{recorded, shape};
use crate::support::server::TestServer;
use crate::support::shell::typed;

/// The address that the documentation uses.
const ADDRESS: &str = "127.0.0.1:8080";

const PAGES: [&str; 2] = ["README.md", "docs/protocol.md"];

/// `runpen` without a path means the program under test.
fn on_path() -> String {
    let directory = Path::new(env!("CARGO_BIN_EXE_runpen")).parent().unwrap();
    format!("PATH={}:$PATH", directory.display())
}

#[track_caller]
fn check_commands(page: &str) {
    let server = TestServer::start();
    for (block, expected) in examples(page, "sh") {
        let script = block.text.replace(ADDRESS, &server.address.to_string());
        let typed = typed(&format!("{}\n{script}", on_path()));
        assert!(
            is_like(&typed.stdout, &expected),
            "{}\n--- typed\n{script}--- printed\n{}{}--- but the page says\n{expected}",
            block.at,
            typed.stdout,
            typed.stderr
        );
    }
}

#[test]
fn every_command_in_the_readme_prints_what_it_says() {
    check_commands("README.md");
}

#[test]
fn every_command_in_the_protocol_prints_what_it_says() {
    check_commands("docs/protocol.md");
}

#[test]
fn the_readme_has_five_examples_for_each_client() {
    let commands = examples("README.md", "sh");
    let with = |program: &str| commands.iter().filter(|(block, _)| block.text.contains(program)).count();
    assert!(with("websocat ") >= 5, "{}", with("websocat "));
    assert!(with("curl ") >= 5, "{}", with("curl "));
    let in_browser = examples("README.md", "js").len() + examples("README.md", "js page").len();
    assert!(in_browser >= 5, "{in_browser}");
}

#[test]
fn every_command_in_the_operators_guide_prints_what_it_says() {
    check_commands("docs/operations.md");
}

/// The operator's guide quotes messages as the program says them.
#[test]
fn every_message_that_the_operators_guide_explains_is_in_the_source() {
    let source: String = [
        "src/http/mod.rs",
        "src/http/page.rs",
        "src/http/door.rs",
        "src/http/ws.rs",
        "src/session/mod.rs",
        "src/session/state.rs",
    ]
    .into_iter()
    .chain(["src/session/state/client.rs", "src/session/state/ending.rs", "src/config/load.rs"])
    .map(read)
    .collect();
    let guide = read("docs/operations.md");
    let rows =
        guide.split("## When something is wrong").nth(1).unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
    let quoted: Vec<_> = rows.filter_map(|row| row.split('`').next()).collect();
    assert!(quoted.len() >= 9);
    for message in quoted {
        let part = message
            .split(['…', ':'])
            .map(str::trim)
            .filter(|part| !part.starts_with("failed to"))
            .max_by_key(|part| part.len());
        let part = part.unwrap();
        let from_system = part == "Address already in use";
        assert!(from_system || source.contains(part), "no message says {part:?}");
    }
}

/// systemd is not there to be asked: its sample is held against its form. nginx is started with its own by the tests of the page.
#[test]
fn the_samples_for_proxy_and_service_are_whole() {
    let blocks = blocks("docs/operations.md");
    let of = |info: &str| &blocks.iter().find(|block| block.info == info).unwrap().text;
    let nginx = of("nginx");
    assert_eq!(nginx.matches('{').count(), nginx.matches('}').count());
    for line in nginx.lines().map(str::trim).filter(|line| !line.is_empty()) {
        assert!(line.ends_with([';', '{', '}']), "{line}");
    }
    for needed in
        ["Upgrade $http_upgrade", "Connection $connection_upgrade", "proxy_http_version 1.1", "proxy_read_timeout"]
    {
        assert!(nginx.contains(needed), "{needed}");
    }
    let unit = of("ini");
    for line in unit.lines().filter(|line| !line.is_empty()) {
        assert!(line.starts_with('[') && line.ends_with(']') || line.contains('='), "{line}");
    }
    assert!(unit.contains("ExecStart=/usr/local/bin/runpen serve"));
}

/// Every line of the blocks with this info, parsed.
fn samples(info: &str) -> Vec<(String, Value)> {
    let blocks = PAGES.iter().flat_map(|page| blocks(page)).filter(|block| block.info == info);
    blocks
        .flat_map(|block| {
            let lines: Vec<String> = block.text.lines().map(str::to_owned).collect();
            lines.into_iter().map(move |line| {
                let sample =
                    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{}: {error}: {line}", block.at));
                (format!("{}: {line}", block.at), sample)
            })
        })
        .collect()
}

#[test]
fn every_json_block_says_who_sends_it() {
    for block in PAGES.iter().flat_map(|page| blocks(page)).filter(|block| block.info.starts_with("json")) {
        assert!(matches!(&*block.info, "json client" | "json server" | "json reply" | "json body"), "{}", block.at);
    }
}

#[test]
fn the_server_understands_every_message_that_the_documentation_sends() {
    let limits = ClientLimits { frame_bytes: 1 << 20, code_bytes: 1 << 18, max_timeout_ms: 300_000 };
    let samples = samples("json client");
    assert!(samples.len() >= 8);
    for (at, sample) in &samples {
        ClientMessage::parse(&sample.to_string(), limits).unwrap_or_else(|rejected| panic!("{at}: {rejected:?}"));
    }
    let bodies = self::samples("json body");
    for (at, sample) in &bodies {
        runpen::protocol::Run::from_body(&sample.to_string(), limits)
            .unwrap_or_else(|rejected| panic!("{at}: {rejected:?}"));
    }
}

/// The fields of a sample, with their types, are those of some message that the server really sent.
#[tokio::test]
async fn every_message_that_the_documentation_shows_has_the_fields_of_a_real_one() {
    let server = TestServer::with(&[("run.queue", "2")]);
    let real: Vec<Value> = recorded(&server).await;
    let samples: Vec<_> = samples("json server").into_iter().chain(samples("json reply")).collect();
    assert!(samples.len() >= 7);
    for (at, sample) in samples {
        let alike: Vec<_> = real.iter().filter(|message| message["type"] == sample["type"]).map(shape).collect();
        assert!(
            alike.contains(&shape(&sample)),
            "{at}\nhas {}\nbut the server sends\n{}",
            shape(&sample),
            alike.join("\n")
        );
    }
    // And none is forgotten.
    let protocol = read("docs/protocol.md");
    for kind in real.iter().filter_map(|message| message["type"].as_str()) {
        assert!(protocol.contains(&format!("`{kind}`")), "docs/protocol.md does not know `{kind}`");
    }
}

fn defaults() -> toml::Table {
    runpen::config::BUILT_IN.parse().unwrap()
}

/// The rows `| `section.key` | default | … |` of a page.
fn rows(page: &str) -> Vec<(String, String)> {
    let page = read(page);
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.filter(|(key, _)| key.contains('.') && !key.contains([' ', '[']))
        .map(|(key, rest)| (key.to_owned(), rest.split(" | ").next().unwrap_or_default().trim().to_owned()))
        .collect()
}

#[test]
fn every_default_in_the_documentation_is_the_real_one() {
    let defaults = defaults();
    let mut checked = 0;
    for page in ["README.md", "docs/protocol.md", "docs/operations.md"] {
        for (key, default) in rows(page) {
            let (section, name) = key.split_once('.').unwrap();
            let real = defaults.get(section).and_then(|section| section.get(name));
            let real = real.unwrap_or_else(|| panic!("{page}: there is no key {key}"));
            assert_eq!(real.to_string().trim_matches('"'), default.trim_matches(['`', '"']), "{page}: {key}");
            checked += 1;
        }
    }
    assert!(checked > 20);
}

#[test]
fn every_limit_is_in_the_readme_and_every_key_in_the_documentation() {
    let readme: Vec<String> = rows("README.md").into_iter().map(|(key, _)| key).collect();
    let all = read("README.md") + &read("docs/operations.md");
    for (section, keys) in defaults().iter().filter(|(section, _)| *section != "profiles") {
        for key in keys.as_table().unwrap().keys() {
            let key = format!("{section}.{key}");
            assert!(section != "run" || readme.contains(&key), "the README does not tell the limit {key}");
            assert!(all.contains(&format!("`{key}`")), "neither the README nor docs/operations.md has {key}");
        }
    }
}

#[test]
fn every_metric_is_in_the_documentation_and_the_other_way_round() {
    // Some appear in `/metrics` with their first sample only, so their registration is read.
    let source = read("src/metrics.rs");
    let registered = source.split("registry.register(").skip(1).filter_map(|rest| rest.split('"').nth(1));
    let real: Vec<String> = registered.map(|name| format!("runpen_{name}")).collect();
    assert!(real.len() >= 11, "{real:?}");
    let metrics = TestServer::start().get("/metrics").body;
    for name in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(real.iter().any(|real| real == name), "this test does not see {name} in src/metrics.rs");
    }
    let guide = read("docs/operations.md");
    for name in &real {
        assert!(guide.contains(&format!("| `{name}` |")), "docs/operations.md does not know {name}");
    }
    let documented = guide.lines().filter_map(|line| line.strip_prefix("| `")?.split(['`', '{']).next());
    for name in documented.filter(|name| name.starts_with("runpen_")) {
        let name = name.trim_end_matches("_total");
        assert!(real.iter().any(|real| real == name), "docs/operations.md invents {name}");
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in ["README.md", "docs/protocol.md", "docs/operations.md"] {
        let text = read(page);
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(page).parent().unwrap().to_path_buf();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if !link.starts_with("http") && !path.is_empty() {
                assert!(directory.join(path).exists(), "{page}: {link}");
            }
        }
    }
}
