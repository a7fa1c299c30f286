use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::check::allowed_numbers;
use super::*;
use crate::sandbox::Mode;

/// What a test lays over the built-in defaults.
#[derive(Default)]
struct Given<'a> {
    file: &'a str,
    environment: &'a [(&'a str, &'a str)],
    profile: Option<&'a str>,
    listen: Option<&'a str>,
}

impl Given<'_> {
    /// Loads it. Messages say `FILE` where the file's path was.
    fn load(&self) -> Result<Config, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("given.toml");
        std::fs::write(&path, self.file).unwrap();
        let sources = Sources {
            file: Some(path.clone()),
            fallback_file: None,
            profile: self.profile.map(str::to_owned),
            listen: self.listen.map(str::to_owned),
            environment: self.environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        };
        Config::load(&sources).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
    }
}

fn file(text: &str) -> Given<'_> {
    Given { file: text, ..Given::default() }
}

fn environment<'a>(variables: &'a [(&'a str, &'a str)]) -> Given<'a> {
    Given { environment: variables, ..Given::default() }
}

#[track_caller]
fn check_refused(given: Given, message: &str) {
    assert_eq!(given.load().map(|_| "loaded"), Err(message.to_owned()));
}

#[track_caller]
fn check_timeout_ms(given: Given, expected: u64) {
    assert_eq!(given.load().map(|config| millis(config.run.timeout)), Ok(expected));
}

#[test]
fn the_built_in_defaults_are_the_documented_ones() {
    let ms = Duration::from_millis;
    let expected = Config {
        server: Server {
            listen: "127.0.0.1:8080".parse().unwrap(),
            public_url: None,
            origins: ForeignPages::Listed(Vec::new()),
            http_threads: 2,
            max_sessions: 1000,
            max_connections: 4000,
            frame_bytes: 1 << 20,
            inflight_bytes: 48 << 20,
            head_timeout: ms(10_000),
            body_timeout: ms(30_000),
            stall_timeout: ms(30_000),
            shutdown: ms(5000),
            http_runs_per_s: None,
        },
        session: Session {
            heartbeat: ms(15_000),
            close_drain: ms(1000),
            messages_per_s: None,
            queued_bytes: 4 << 20,
            unread_bytes: 4 << 20,
        },
        run: Run {
            timeout: ms(10_000),
            max_timeout: ms(300_000),
            kill_grace: ms(50),
            background_timeout: ms(300_000),
            input_timeout: ms(300_000),
            code_bytes: 256 << 10,
            heap_bytes: 64 << 20,
            stack_bytes: 4 << 20,
            console_bytes: 1 << 20,
            console_entries: 10_000,
            text_bytes: 256 << 10,
            json_bytes: 256 << 10,
            queue: 16,
            timers: 1000,
        },
        pool: Pool {
            warm: 8,
            max: 1000,
            memory_bytes: machine::half_of_memory(),
            wait_queue: 1000,
            wait: ms(10_000),
            idle_lease: ms(60_000),
            max_leases_per_worker: 100,
            reuse: Reuse::Healthy,
            health: ms(1000),
            start: ms(5000),
        },
        sandbox: Sandbox { mode: Mode::Required },
        log: Log { level: tracing::level_filters::LevelFilter::INFO, format: LogFormat::Text },
    };
    assert_eq!(Config::built_in(), expected);
}

/// `section.key` of every line of config.toml that sets one, and whether the line above it is a comment.
fn documented_keys() -> Vec<(String, bool)> {
    let mut section = "";
    let mut above = "";
    let mut keys = Vec::new();
    for line in BUILT_IN.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.push((format!("{section}.{key}"), above.starts_with("# ")));
        }
        above = line;
    }
    keys
}

#[test]
fn every_key_stands_in_the_built_in_file_with_its_reason() {
    let documented = documented_keys();
    for (key, has_comment) in &documented {
        assert!(has_comment, "{key} has no comment");
    }
    let documented: BTreeSet<String> =
        documented.into_iter().map(|(key, _)| key).filter(|key| !key.starts_with("profiles.")).collect();

    let all: toml::Table = toml::from_str(&Config::built_in().to_toml()).unwrap();
    let keys_of = |(section, keys): (&String, &toml::Value)| {
        let keys: Vec<String> = keys.as_table().unwrap().keys().map(|key| format!("{section}.{key}")).collect();
        keys
    };
    let known: BTreeSet<String> = all.iter().flat_map(keys_of).collect();
    assert_eq!(documented, known);
}

#[test]
fn a_configuration_written_out_loads_as_the_same() {
    let mut config = Config::built_in();
    for reuse in [Reuse::Healthy, Reuse::Never] {
        for format in [LogFormat::Text, LogFormat::Json] {
            for level in ["off", "error", "warn", "info", "debug", "trace"] {
                config.pool.reuse = reuse;
                config.log = Log { level: level.parse().unwrap(), format };
                config.server.http_runs_per_s = std::num::NonZeroU32::new(7);
                config.server.public_url = PublicUrl::parse("https://run.example.org:8443/pen/");
                assert_eq!(file(&config.to_toml()).load(), Ok(config.clone()));
            }
        }
    }
}

#[test]
fn later_sources_win() {
    let given = "[run]\ntimeout_ms = 1\n[profiles.mine.run]\ntimeout_ms = 2\n";
    let variable: &[_] = &[("RUNPEN_RUN__TIMEOUT_MS", "3")];
    check_timeout_ms(file(""), 10_000);
    check_timeout_ms(file(given), 1);
    check_timeout_ms(Given { profile: Some("mine"), ..file(given) }, 2);
    check_timeout_ms(Given { profile: Some("mine"), environment: variable, ..file(given) }, 3);
    check_timeout_ms(Given { environment: variable, ..file(given) }, 3);

    let listen: &[_] = &[("RUNPEN_SERVER__LISTEN", "127.0.0.1:2")];
    let all = Given { environment: listen, listen: Some("127.0.0.1:3"), ..file("[server]\nlisten = '127.0.0.1:1'") };
    assert_eq!(all.load().unwrap().server.listen.port(), 3);
}

#[test]
fn the_built_in_profiles_set_their_deadlines() {
    for (name, timeout_ms) in [("dev", 30_000), ("test", 10_000), ("prod", 300_000)] {
        check_timeout_ms(Given { profile: Some(name), ..file("") }, timeout_ms);
        check_timeout_ms(environment(&[("RUNPEN_PROFILE", name)]), timeout_ms);
    }
}

#[test]
fn a_profile_beats_the_plain_sections_of_the_file() {
    check_timeout_ms(Given { profile: Some("dev"), ..file("[run]\ntimeout_ms = 1") }, 30_000);
}

#[test]
fn a_file_may_change_a_built_in_profile() {
    let given = "[profiles.dev.run]\nqueue = 3";
    let config = Given { profile: Some("dev"), ..file(given) }.load().unwrap();
    assert_eq!((millis(config.run.timeout), config.run.queue), (30_000, 3));
}

#[test]
fn the_profile_of_the_flag_beats_the_one_of_the_environment() {
    check_timeout_ms(Given { profile: Some("dev"), ..environment(&[("RUNPEN_PROFILE", "prod")]) }, 30_000);
}

#[test]
fn the_fallback_file_may_be_missing_and_the_named_file_may_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    let fallback = Sources { fallback_file: Some(path.clone()), ..Sources::default() };
    assert_eq!(Config::load(&fallback).unwrap(), Config::built_in());

    let named = Sources { file: Some(path.clone()), ..Sources::default() };
    let message = Config::load(&named).unwrap_err().to_string();
    assert_eq!(message, format!("read the configuration file {}", path.display()));

    std::fs::write(&path, "[run]\nqueue = 5").unwrap();
    assert_eq!(Config::load(&fallback).unwrap().run.queue, 5);
}

#[test]
fn an_unknown_key_is_named_with_its_source() {
    let sections = "there is no such key; allowed here: server, session, run, pool, sandbox, log, profiles";
    let keys = "there is no such key; allowed here: heartbeat_ms, close_drain_ms, messages_per_s, queued_bytes, \
         unread_bytes";
    check_refused(file("[rnu]\nqueue = 1"), &format!("use `rnu` in FILE: {sections}"));
    check_refused(file("[session]\nbeat = 1"), &format!("use `session.beat` in FILE: {keys}"));
    check_refused(
        file("[profiles.mine.session]\nbeat = 1"),
        &format!("use `profiles.mine.session.beat` in FILE: {keys}"),
    );
    check_refused(file("[profiles.mine.rnu]\nbeat = 1"), &format!("use `profiles.mine.rnu` in FILE: {sections}"));
    check_refused(
        file("[profiles.mine.profiles.x]\n"),
        "use `profiles.mine.profiles` in FILE: there is no such key; allowed here: the other sections",
    );
    check_refused(
        environment(&[("RUNPEN_SESSION__BEAT", "1")]),
        &format!("use `RUNPEN_SESSION__BEAT` in the environment: {keys}"),
    );
    for name in ["RUNPEN_RUN_TIMEOUT_MS", "RUNPEN_RUN", "RUNPEN_PROFILES__DEV__RUN__QUEUE", "RUNPEN_RUN__", "RUNPEN_"] {
        let message = format!(
            "use the variable `{name}`: settings are named RUNPEN_SECTION__KEY, with two underscores, \
             and the profile RUNPEN_PROFILE"
        );
        check_refused(environment(&[(name, "1")]), &message);
    }
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_source() {
    let queue = "it must be a whole number from 0 to 10000 (what they hold is bounded besides)";
    let cases = [
        ("'12'", "the string \"12\""),
        ("true", "true"),
        ("1.7", "1.7"),
        ("-1", "-1"),
        ("[1]", "a list"),
        ("10001", "10001"),
    ];
    for (value, found) in cases {
        check_refused(
            file(&format!("[run]\nqueue = {value}")),
            &format!("use `run.queue` in FILE: {queue}, and is {found}"),
        );
        check_refused(
            file(&format!("[profiles.mine.run]\nqueue = {value}")),
            &format!("use `profiles.mine.run.queue` in FILE: {queue}, and is {found}"),
        );
    }
    for (value, found) in [("many", "the string \"many\""), ("1.7", "the string \"1.7\""), ("", "the string \"\"")] {
        check_refused(
            environment(&[("RUNPEN_RUN__QUEUE", value)]),
            &format!("use `RUNPEN_RUN__QUEUE` in the environment: {queue}, and is {found}"),
        );
    }
    check_refused(file("run = 3"), "use `run` in FILE: it must be a section of keys, and is 3");
    check_refused(file("profiles.dev = 3"), "use `profiles.dev` in FILE: it must be a section of keys, and is 3");
    check_refused(file("[log]\nlevel = 3"), "use `log.level` in FILE: it must be a string, and is 3");
}

#[test]
fn a_value_that_is_no_choice_is_named_with_its_source() {
    check_refused(
        file("[log]\nformat = 'xml'"),
        "use `log.format` in FILE: it must be one of \"text\", \"json\", and is \"xml\"",
    );
    check_refused(
        environment(&[("RUNPEN_POOL__REUSE", "always")]),
        "use `RUNPEN_POOL__REUSE` in the environment: it must be one of \"healthy\", \"never\", and is \"always\"",
    );
    check_refused(
        Given { listen: Some("localhost"), ..file("") },
        "use `--listen` on the command line: it must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080, \
         and is \"localhost\"",
    );
}

fn origins(texts: &[&str]) -> ForeignPages {
    ForeignPages::Listed(texts.iter().map(|text| PageOrigin::parse(text).unwrap()).collect())
}

#[test]
fn foreign_pages_are_listed_in_a_file_or_in_one_variable() {
    let listed = origins(&["https://a.example", "http://b.example:8080"]);
    let from = |given: Given| given.load().map(|config| config.server.origins);
    let text = "[server]\norigins = ['https://A.example:443', 'http://b.example:8080']";
    assert_eq!(from(file(text)), Ok(listed.clone()));
    for value in ["https://a.example,http://b.example:8080", " https://a.example,  http://b.example:8080,"] {
        assert_eq!(from(environment(&[("RUNPEN_SERVER__ORIGINS", value)])), Ok(listed.clone()), "{value}");
    }
    // The variable replaces the file's list, as with every key.
    let both = Given { environment: &[("RUNPEN_SERVER__ORIGINS", "")], ..file(text) };
    assert_eq!(from(both), Ok(origins(&[])));
    assert_eq!(from(file("[server]\norigins = ['*']")), Ok(ForeignPages::Any));
    assert_eq!(from(environment(&[("RUNPEN_SERVER__ORIGINS", "*")])), Ok(ForeignPages::Any));
    for config in [file(text).load().unwrap(), file("[server]\norigins = ['*']").load().unwrap()] {
        assert_eq!(file(&config.to_toml()).load(), Ok(config));
    }
}

#[test]
fn names_that_are_none_are_named_with_their_source() {
    let url = "it must be an http or https URL without a query, such as \"https://run.example.org\", or \"\", and is";
    let origin = "it must be a list of origins, each a scheme, a host and perhaps a port, such as \"https://school.example\", \
                  without a path or a slash at the end, or of `*` alone, and is";
    check_refused(
        file("[server]\npublic_url = 'run.example.org'"),
        &format!("use `server.public_url` in FILE: {url} \"run.example.org\""),
    );
    check_refused(
        environment(&[("RUNPEN_SERVER__PUBLIC_URL", "https://me:secret@a")]),
        &format!("use `RUNPEN_SERVER__PUBLIC_URL` in the environment: {url} \"https://me:secret@a\""),
    );
    let long = format!("[server]\npublic_url = '{}'", "x".repeat(1 << 20));
    check_refused(file(&long), &format!("use `server.public_url` in FILE: {url} \"{}\" and more", "x".repeat(100)));
    for wrong in ["https://a.example/", "a.example", "null", "https://*.example", "http://a http://b"] {
        check_refused(
            file(&format!("[profiles.mine.server]\norigins = ['http://a.example', '{wrong}']")),
            &format!("use `profiles.mine.server.origins` in FILE: {origin} {wrong:?}"),
        );
    }
    check_refused(
        environment(&[("RUNPEN_SERVER__ORIGINS", "https://a.example *")]),
        "use `RUNPEN_SERVER__ORIGINS` in the environment: it must be `*` alone, which lets all pages in, \
         or a list without it, and is a list of 2",
    );
    let many = vec!["http://a.example"; 101].join(",");
    check_refused(
        environment(&[("RUNPEN_SERVER__ORIGINS", &many)]),
        "use `RUNPEN_SERVER__ORIGINS` in the environment: it must be a list of at most 100, and is a list of 101",
    );
    check_refused(
        file("[server]\norigins = 'http://a.example'"),
        "use `server.origins` in FILE: it must be a list of strings, and is the string \"http://a.example\"",
    );
    check_refused(file("[server]\norigins = [3]"), "use `server.origins.0` in FILE: it must be a string, and is 3");
}

#[test]
fn workers_and_places_in_the_line_follow_the_sessions_and_memory_the_machine() {
    let pool = |text| file(text).load().unwrap().pool;
    let sessions = pool("[server]\nmax_sessions = 3000");
    assert_eq!((sessions.max, sessions.wait_queue), (3000, 3000));
    let few = pool("[server]\nmax_sessions = 2");
    assert_eq!((few.max, few.wait_queue), (8, 2), "those kept ready are there all the same");
    let fewer = pool("[server]\nmax_sessions = 3000\n[pool]\nmax = 64\nwait_queue = 7\nmemory_bytes = 1073741824");
    assert_eq!((fewer.max, fewer.wait_queue, fewer.memory_bytes), (64, 7, 1 << 30));
    check_refused(
        file("[pool]\nmemory_bytes = 1048576"),
        "use `run.heap_bytes` in the built-in defaults with `pool.memory_bytes` in FILE: \
         the first (67108864) must not be greater than the second (1048576)",
    );
}

#[test]
fn values_that_contradict_each_other_are_both_named() {
    check_refused(
        Given { profile: Some("prod"), ..environment(&[("RUNPEN_RUN__MAX_TIMEOUT_MS", "60000")]) },
        "use `profiles.prod.run.timeout_ms` in the built-in defaults with `RUNPEN_RUN__MAX_TIMEOUT_MS` in the environment: \
         the first (300000) must not be greater than the second (60000)",
    );
    check_refused(
        file("[pool]\nwarm = 300\nmax = 200"),
        "use `pool.warm` in FILE with `pool.max` in FILE: \
         the first (300) must not be greater than the second (200)",
    );
    check_refused(
        file("[server]\nframe_bytes = 300000"),
        "use `server.frame_bytes` in FILE with `run.code_bytes` in the built-in defaults: \
         the longest code may need a message of 790528 bytes, escaped as JSON",
    );
    check_refused(
        file("[run]\ntext_bytes = 1048576\njson_bytes = 1048576"),
        "use `run.text_bytes` in FILE with `run.json_bytes` in FILE: \
         a result may need 4259840 bytes, and the worker may send 4194304",
    );
    check_refused(
        file("[run]\nkill_grace_ms = 1000"),
        "use `pool.health_ms` in the built-in defaults with `run.kill_grace_ms` in FILE: \
         the first (1000) must be greater than the second (1000)",
    );
    check_refused(
        file("[server]\nshutdown_ms = 50"),
        "use `server.shutdown_ms` in FILE with `run.kill_grace_ms` in the built-in defaults: \
         the first (50) must be greater than the second (50)",
    );
}

#[test]
fn a_profile_that_is_not_chosen_need_not_agree_with_the_rest() {
    check_timeout_ms(file("[run]\nmax_timeout_ms = 20000"), 10_000);
}

#[test]
fn an_unknown_profile_is_named_with_the_known_ones() {
    let known = "there are only \"dev\", \"prod\", \"test\"";
    check_refused(
        Given { profile: Some("prd"), ..file("") },
        &format!("use the profile \"prd\" of `--profile` on the command line: {known}"),
    );
    check_refused(
        environment(&[("RUNPEN_PROFILE", "")]),
        &format!("use the profile \"\" of `RUNPEN_PROFILE` in the environment: {known}"),
    );
    check_refused(
        file("[profiles.'a.b'.run]\nqueue = 1"),
        "use `profiles.\"a.b\"` in the configuration: a profile's name has only letters, digits, `-` and `_`",
    );
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_the_place() {
    let message = file("[run]\nqueue = ").load().unwrap_err();
    assert!(message.starts_with("parse the configuration file FILE at line 2, column 9: "), "{message}");
    let message = file("[run]\nqueue = 1\nqueue = 2\n").load().unwrap_err();
    assert!(message.starts_with("parse the configuration file FILE at line 3, column 1: "), "{message}");
}

#[test]
fn variables_of_others_are_left_alone_and_ours_must_be_text() {
    let kubernetes = [("RUNPEN_SERVICE_HOST", "10.0.0.1"), ("RUNPEN_PORT", "tcp://10.0.0.1:80"), ("PATH", "/bin")];
    assert_eq!(environment(&kubernetes).load(), Ok(Config::built_in()));
    let for_tests = [("RUNPEN_BIN", "/a"), ("RUNPEN_WEBSOCAT", "/b"), ("RUNPEN_WORKER_PROGRAM", "/c")];
    assert_eq!(environment(&for_tests).load(), Ok(Config::built_in()));

    let not_text = OsStr::from_bytes(b"\xff").to_owned();
    let with = |name: &str| {
        let environment = vec![(OsString::from(name), not_text.clone())];
        Config::load(&Sources { environment, ..Sources::default() }).map_err(|error| error.to_string())
    };
    assert_eq!(with("OTHER"), Ok(Config::built_in()));
    assert_eq!(
        with("RUNPEN_LOG__LEVEL"),
        Err("use the variable `RUNPEN_LOG__LEVEL`: its value is not UTF-8 text".to_owned())
    );
}

/// The smallest and the largest number of every key load, alone or with what a rule asks for beside them, and one beyond does not.
#[test]
fn every_bound_is_where_it_says() {
    let all: toml::Table = toml::from_str(&Config::built_in().to_toml()).unwrap();
    for (section, keys) in &all {
        for key in keys.as_table().unwrap().keys() {
            let name = format!("{section}.{key}");
            let Some(allowed) = allowed_numbers(&name) else { continue };
            let words: Vec<&str> = allowed.split(' ').collect();
            let (min, max): (u64, u64) = (words[4].parse().unwrap(), words[6].parse().unwrap());
            let load = |value: u64| file(&format!("[{section}]\n{key} = {value}")).load();
            let out_of_bounds = |value: u64| {
                let message = load(value).map(|_| "loaded").unwrap_err();
                assert!(message.starts_with(&format!("use `{name}` in FILE: it must be {allowed}")), "{message}");
            };
            out_of_bounds(max + 1);
            if let Some(below) = min.checked_sub(1) {
                out_of_bounds(below);
            }
            for value in [min, max] {
                if let Err(message) = load(value) {
                    assert!(message.contains(" with `"), "{name} = {value} is refused alone: {message}");
                }
            }
        }
    }
}
