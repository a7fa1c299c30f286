use super::*;
use crate::config::Config;

/// Which server is asked.
fn door(listen: &str, public_url: &str, origins: &[&str]) -> Door {
    let origins = match origins {
        ["*"] => ForeignPages::Any,
        listed => ForeignPages::Listed(listed.iter().map(|text| PageOrigin::parse(text).unwrap()).collect()),
    };
    let server = Server {
        listen: listen.parse().unwrap(),
        public_url: (!public_url.is_empty()).then(|| PublicUrl::parse(public_url).unwrap()),
        origins,
        ..Config::built_in().server
    };
    Door::new(&server)
}

fn local() -> Door {
    door("127.0.0.1:8080", "", &[])
}

fn public() -> Door {
    door("127.0.0.1:8080", "https://run.example.org", &["https://school.example", "http://dev.example:3000"])
}

fn open() -> Door {
    door("0.0.0.0:8080", "", &[])
}

/// In one word: `own`, `listed`, `any`, `forbidden` or `malformed`.
fn word(door: &Door, asked: Asked) -> &'static str {
    match door.decide(asked) {
        Ok(Admitted::Own) => "own",
        Ok(Admitted::Listed(_)) => "listed",
        Ok(Admitted::Any) => "any",
        Err(Refusal::Forbidden(_)) => "forbidden",
        Err(Refusal::Malformed(_)) => "malformed",
    }
}

/// One request with a `Host` and perhaps an `Origin` (none where it is empty).
#[track_caller]
fn check(door: &Door, host: &str, origin: &str, expected: &str) {
    let origins = [origin.as_bytes()];
    let origins = if origin.is_empty() { &[][..] } else { &origins };
    let asked = Asked { hosts: &[host.as_bytes()], origins, target: None, is_old: false };
    assert_eq!(word(door, asked), expected, "Host: {host:?}, Origin: {origin:?}");
}

#[test]
fn a_local_server_is_called_by_addresses_and_localhost_alone() {
    for host in [
        "127.0.0.1:8080",
        "127.0.0.1",
        "localhost:8080",
        "localhost",
        "LOCALHOST:1",
        "localhost.",
        "[::1]:8080",
        "[::1]",
        "127.0.0.2:9",
        "192.168.0.7:8080",
        "[fe80::1]",
        "127.1",
        "0x7f.1:8080",
        "2130706433",
    ] {
        check(&local(), host, "", "own");
    }
    for host in [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "a.localhost",
        "localhost-x",
        "runpen",
        "127.0.0.1.nip.io:8080",
        "xn--lcalhost-54a",
    ] {
        check(&local(), host, "", "forbidden");
        check(&local(), host, &format!("http://{host}"), "forbidden");
    }
    for host in [
        "",
        " ",
        "localhost localhost",
        "localhost,evil.example",
        "localhost@evil.example",
        "evil.example#localhost",
        "evil.example/localhost",
        "evil.example\\localhost",
        "localhost%00",
        "localhost:80:80",
        "localhost:99999",
        "::1",
        "[::1",
        "[::1].evil.example",
        "http://localhost",
        "löcalhost",
        "localhost..",
        ".localhost",
        "localhost:http",
    ] {
        check(&local(), host, "", "malformed");
    }
}

#[test]
fn a_page_of_this_server_names_the_host_and_the_port_of_the_request() {
    for (host, origin) in [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("127.0.0.1:8080", "https://127.0.0.1:8080"),
        ("localhost:8080", "http://LocalHost:8080"),
        ("localhost.:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
        ("localhost", "http://localhost:80"),
        ("localhost:443", "https://localhost"),
        ("[0::1]:8080", "http://[::1]:8080"),
        ("192.168.0.7", "http://192.168.0.7:8080"),
    ] {
        check(&local(), host, origin, "own");
    }
    for (host, origin) in [
        ("127.0.0.1:8080", "http://127.0.0.1:3000"),
        ("127.0.0.1:8080", "http://127.0.0.1"),
        // On the machine itself each port may be another program's.
        ("127.0.0.1", "http://127.0.0.1:3000"),
        ("localhost", "http://localhost:3000"),
        ("[::1]", "http://[::1]:3000"),
        ("[::ffff:127.0.0.1]", "http://[::ffff:127.0.0.1]:3000"),
        ("0.0.0.0", "http://0.0.0.0:3000"),
        ("127.0.0.1:8080", "http://localhost:8080"),
        ("192.168.0.7:8080", "http://192.168.0.7:3000"),
        ("127.0.0.1:8080", "https://evil.example"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080.evil.example"),
        ("127.0.0.1:8080", "http://evil.example:8080"),
        ("127.0.0.1:8080", "chrome-extension://127.0.0.1:8080"),
        ("127.0.0.1:8080", "ws://127.0.0.1:8080"),
        // No origins, or none that a browser writes.
        ("127.0.0.1:8080", "null"),
        ("127.0.0.1:8080", "http://x@127.0.0.1:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080#"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080 http://evil.example"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("127.0.0.1:8080", "file://"),
        ("127.0.0.1:8080", " "),
    ] {
        check(&local(), host, origin, "forbidden");
    }
}

#[test]
fn a_server_with_a_public_url_is_called_so() {
    for host in
        ["run.example.org", "RUN.example.org:443", "run.example.org.", "127.0.0.1:8080", "localhost", "10.0.0.1"]
    {
        check(&public(), host, "", "own");
    }
    for host in [
        "run.example.org:80",
        "run.example.org:8443",
        "example.org",
        "x.run.example.org",
        "run.example.org.evil.example",
    ] {
        check(&public(), host, "", "forbidden");
    }
    for (host, origin) in [
        ("run.example.org", "https://run.example.org"),
        ("run.example.org:443", "https://run.example.org"),
        // A proxy that passes on its own name for this server.
        ("127.0.0.1:8080", "https://run.example.org"),
    ] {
        check(&public(), host, origin, "own");
    }
    for (host, origin, expected) in [
        ("run.example.org", "https://school.example", "listed"),
        ("run.example.org", "HTTPS://School.Example:443", "listed"),
        ("127.0.0.1:8080", "http://dev.example:3000", "listed"),
        ("run.example.org", "http://school.example", "forbidden"),
        ("run.example.org", "https://school.example:8443", "forbidden"),
        ("run.example.org", "https://a.school.example", "forbidden"),
        ("run.example.org", "https://school.example.evil.example", "forbidden"),
        ("run.example.org", "http://dev.example", "forbidden"),
        ("run.example.org", "null", "forbidden"),
        ("127.0.0.1:8080", "http://run.example.org", "forbidden"),
        // Whatever page it is: the name of the server comes first.
        ("evil.example", "https://school.example", "forbidden"),
        ("evil.example", "https://run.example.org", "forbidden"),
    ] {
        check(&public(), host, origin, expected);
    }
    // A port in the public URL: the proxy may pass on the name with it or without.
    let ported = door("127.0.0.1:8080", "https://run.example.org:8443/pen/", &[]);
    for (host, origin, expected) in [
        ("run.example.org", "https://run.example.org:8443", "own"),
        ("run.example.org:8443", "https://run.example.org:8443", "own"),
        ("run.example.org:443", "", "forbidden"),
    ] {
        check(&ported, host, origin, expected);
    }
}

#[test]
fn a_server_that_others_reach_and_that_has_no_public_url_is_called_by_any_name() {
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.168.0.7:8080"] {
        let open = door(listen, "", &[]);
        check(&open, "whatever.example:8080", "", "own");
        check(&open, "whatever.example:8080", "http://whatever.example:8080", "own");
        check(&open, "whatever.example", "https://whatever.example:8443", "own");
        check(&open, "whatever.example:8080", "http://other.example:8080", "forbidden");
        check(&open, "what ever", "", "malformed");
    }
    for listen in ["127.0.0.1:8080", "127.9.9.9:1", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
        check(&door(listen, "", &[]), "whatever.example", "", "forbidden");
    }
    check(&door("0.0.0.0:8080", "http://run.example.org:8080", &[]), "whatever.example:8080", "", "forbidden");
}

#[test]
fn all_pages_are_let_in_by_a_star_and_nameless_ones_by_nothing_else() {
    let any = door("127.0.0.1:8080", "", &["*"]);
    for origin in ["https://evil.example", "null", "file://", "app://x", "a b"] {
        check(&any, "127.0.0.1:8080", origin, "any");
        check(&public(), "run.example.org", origin, "forbidden");
    }
    check(&any, "127.0.0.1:8080", "http://127.0.0.1:8080", "own");
    // The star is for pages, not for names.
    check(&any, "evil.example", "http://evil.example", "forbidden");
}

#[test]
fn headers_that_come_twice_or_disagree_are_malformed() {
    let (here, there): (&[u8], &[u8]) = (b"127.0.0.1:8080", b"evil.example");
    let (page, other): (&[u8], &[u8]) = (b"http://127.0.0.1:8080", b"https://evil.example");
    let any = door("127.0.0.1:8080", "", &["*"]);
    for (hosts, origins, target, is_old, expected) in [
        (&[here, there][..], &[][..], None, false, "malformed"),
        (&[here, here], &[], None, false, "malformed"),
        (&[here], &[page, other], None, false, "malformed"),
        (&[here], &[page, page], None, false, "malformed"),
        (&[b"\xff"], &[], None, false, "malformed"),
        (&[here], &[b"\xff"], None, false, "forbidden"),
        // A whole URL as the target: it goes before the header, so both must say the same.
        (&[here], &[], Some("127.0.0.1:8080"), false, "own"),
        (&[here], &[], Some("evil.example"), false, "malformed"),
        (&[there], &[], Some("127.0.0.1:8080"), false, "malformed"),
        (&[there], &[], Some("evil.example"), false, "forbidden"),
        (&[here], &[], Some("x@127.0.0.1:8080"), false, "malformed"),
        (&[], &[], Some("127.0.0.1:8080"), false, "malformed"),
        // Without a Host: for old clients alone, and to none of them a page is the server's own.
        (&[], &[], None, false, "malformed"),
        (&[], &[], None, true, "own"),
        (&[], &[page], None, true, "forbidden"),
        (&[], &[], Some("evil.example"), true, "forbidden"),
        (&[there], &[], None, true, "forbidden"),
    ] {
        let asked = Asked { hosts, origins, target, is_old };
        assert_eq!(word(&local(), asked), expected, "{asked:?}");
        // What is malformed is so for every page.
        assert!(expected != "malformed" || word(&any, asked) == "malformed", "{asked:?}");
    }
}

#[test]
fn a_refusal_names_the_key_and_the_value_that_would_let_it_in() {
    let says = |door: &Door, host: &str, origin: &str, words: &[&str]| {
        let origins = [origin.as_bytes()];
        let origins = if origin.is_empty() { &[][..] } else { &origins };
        let asked = Asked { hosts: &[host.as_bytes()], origins, target: None, is_old: false };
        let Err(Refusal::Forbidden(sentence)) = door.decide(asked) else { panic!("{host} {origin} is let in") };
        words.iter().for_each(|word| assert!(sentence.contains(word), "{word} is not in {sentence:?}"));
    };
    says(&local(), "pen.example", "", &["`server.public_url`", "\"https://pen.example\""]);
    says(&local(), "pen.example:8080", "", &["`server.public_url`", "\"http://pen.example:8080\""]);
    says(&public(), "pen.example", "", &["`server.public_url`", "\"https://pen.example\"", "https://run.example.org"]);
    says(&local(), "localhost:8080", "https://a.example:444", &["`server.origins`", "add \"https://a.example:444\""]);
    says(&local(), "localhost:8080", "null", &["`server.origins`", "[\"*\"]"]);
    says(&open(), "pen.example", "http://a.example", &["`server.origins`", "add \"http://a.example\""]);
}

/// What a refusal says to add is what lets it in.
#[test]
fn the_value_that_a_refusal_names_does_let_it_in() {
    check(&door("127.0.0.1:8080", "https://pen.example", &[]), "pen.example", "https://pen.example", "own");
    check(
        &door("127.0.0.1:8080", "http://pen.example:8080", &[]),
        "pen.example:8080",
        "http://pen.example:8080",
        "own",
    );
    check(&door("127.0.0.1:8080", "", &["https://a.example:444"]), "localhost:8080", "https://a.example:444", "listed");
    check(&door("127.0.0.1:8080", "", &["*"]), "localhost:8080", "null", "any");
}
