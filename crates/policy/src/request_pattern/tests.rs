use proptest::prelude::*;

use super::*;

fn pattern(methods: &str, path: &str) -> RequestPattern {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    RequestPattern::parse(some(methods).as_deref(), some(path).as_deref()).unwrap_or_else(|error| panic!("{error}"))
}

fn allows(methods: &str, path: &str, method: &str, target: &str) -> bool {
    pattern(methods, path).allows(&Asked::new(method, target))
}

#[test]
fn one_star_is_within_a_part_and_two_are_across() {
    for (path, target, wanted) in [
        ("/v1/**", "/v1/", true),
        ("/v1/**", "/v1/a/b", true),
        ("/v1/**", "/v1", false),
        ("/v1/**", "/v1x/a", false),
        ("/v1/*", "/v1/a", true),
        ("/v1/*", "/v1/", true),
        ("/v1/*", "/v1/a/b", false),
        ("/v1/*", "/v1/a/", false),
        ("/**", "/", true),
        ("/", "/", true),
        ("/", "/a", false),
        ("/a/**/z", "/a/z", true),
        ("/a/**/z", "/a/b/c/z", true),
        ("/a/**/z", "/a/b/zz", false),
        ("/**/*.git/info/refs", "/u/r.git/info/refs", true),
        ("/**/*.git/info/refs", "/r.git/info/refs/x", false),
        ("/a*c*e", "/abcde", true),
        ("/a*c*e", "/ace", true),
        ("/a*c*e", "/aec", false),
        ("/A", "/a", false),
    ] {
        assert_eq!(allows("", path, "GET", target), wanted, "{path} {target}");
    }
}

#[test]
fn methods_are_exact_and_queries_take_no_part() {
    assert!(allows("GET,HEAD", "/a", "HEAD", "/a?b=/../c"));
    assert!(!allows("GET,HEAD", "/a", "POST", "/a") && !allows("GET", "/a", "get", "/a"));
    assert!(allows("GET", "", "GET", "*") && allows("", "/a", "BREW", "/a"));
    assert_eq!(pattern("GET,GET,HEAD", "/a%2a/%7e").to_string(), "GET,HEAD /a%2A/~");
}

#[test]
fn what_servers_read_in_two_ways_is_below_no_directory() {
    let doubtful = [
        "/v1/../a",
        "/v1/./a",
        "/v1/%2e%2e/a",
        "/v1/.%2E/a",
        "/v1/..",
        "/v1//a",
        "//v1/a",
        "/v1/a%2fb",
        "/v1/a%2Fb",
        "/v1/a\\b",
        "/v1/a%5cb",
        "/v1/..;/a",
        "/v1/a;b",
        "/v1/%3b",
        "/v1/%252e%252e/a",
        "/v1/a%00",
        "/v1/a%0d%0a",
        "/v1/%",
        "/v1/%4",
        "/v1/%zz",
        "/v1/%u002e",
        "/v1/%c0%ae%c0%ae/a",
        "/v1/%c0%af",
        "/v1/%ff",
        "/v1/a b",
        "/v1/\u{fc}",
        "/v1/a#b",
        "/v1/a%23b",
        "/v1/a%3fb",
        "/v1/..%20/a",
        "/v1/...",
        "v1/a",
        "",
        "*",
        "http://x/v1/a",
        "/v1/\u{0}",
        "/v1/\r\n",
        "/v1/\"",
    ];
    for target in doubtful {
        assert!(!allows("", "/v1/**", "GET", target), "{target:?}");
        let asked = Asked::new("GET", target);
        assert!(asked.path.is_err(), "{target:?}");
        assert!(
            pattern("GET", "/v1/**").is_in_doubt(&asked) && !pattern("PUT", "/v1/**").is_in_doubt(&asked),
            "{target:?}"
        );
        // However it is read, it is some path.
        assert!(allows("GET", "/**", "GET", target) && allows("GET", "", "GET", target), "{target:?}");
    }
}

#[test]
fn one_spelling_stands_for_all_equal_ones() {
    let read = |text: &str| RequestPath::read(text).map(|path| path.to_string());
    assert_eq!(read("/%41%7a%2D%7e/%c3%bc?x").unwrap(), "/Az-~/%C3%BC");
    assert!(allows("", "/%41/%c3%BC", "GET", "/A/%C3%bc") && allows("", "/A/*", "GET", "/%41/%C3%BC"));
    assert!(!allows("", "/a%2Ab", "GET", "/a*b"), "an encoded star is no pattern character, and no plain star");
}

#[test]
fn what_is_wrong_is_said() {
    let wrong = [
        (Some("get"), None),
        (Some("GET,"), None),
        (Some(""), None),
        (Some("GET,HEAD,CONNECT"), None),
        (Some("G\u{1b}"), None),
        (None, Some("/a?b")),
        (None, Some("/a#b")),
        (None, Some("/a**")),
        (None, Some("/**b/c")),
        (None, Some("/a//b")),
        (None, Some("/a/../b")),
        (None, Some("/a%2fb")),
        (None, Some("/a b")),
        (None, Some("/\u{1b}")),
        (None, Some("/***")),
    ];
    let said: Vec<String> = wrong
        .iter()
        .map(|(methods, path)| match RequestPattern::parse(*methods, *path) {
            Ok(pattern) => panic!("{methods:?} {path:?} was taken for {pattern}"),
            Err(error) => format!("{methods:?} {path:?}: {error}"),
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(RequestPattern::parse(None, Some(&format!("/{}", "a".repeat(1024)))), Err(RequestPatternError::Long));
}

/// Is the path below the pattern, tried in every way there is?
fn naive(pattern: &[&str], path: &[&str]) -> bool {
    match pattern {
        [] => path.is_empty(),
        ["**"] => !path.is_empty(),
        ["**", rest @ ..] => (0..=path.len()).any(|taken| naive(rest, &path[taken..])),
        [first, rest @ ..] => !path.is_empty() && naive_text(first, path[0]) && naive(rest, &path[1..]),
    }
}

fn naive_text(pattern: &str, text: &str) -> bool {
    match pattern.split_at_checked(1) {
        None => text.is_empty(),
        Some(("*", rest)) => (0..=text.len()).any(|taken| naive_text(rest, &text[taken..])),
        Some((one, rest)) => text.strip_prefix(one).is_some_and(|text| naive_text(rest, text)),
    }
}

/// What a server makes of a path: decodes it once, then resolves dots and drops empty segments.
fn as_a_server_reads(target: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = target.split('?').next().unwrap().bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).map(|digit| digit as u8);
        bytes.push(if byte == b'%' { digit().unwrap_or(0) << 4 | digit().unwrap_or(0) } else { byte });
    }
    let text = String::from_utf8_lossy(&bytes).replace('\\', "/");
    let mut kept: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment.split(';').next().unwrap() {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn matching_agrees_with_trying_everything(
        segments in prop::collection::vec("[ab]{0,2}|[ab*]{1,4}|\\*\\*", 1..5),
        path in prop::collection::vec("[ab]{1,3}", 0..5),
        slash in any::<bool>(),
    ) {
        let text = format!("/{}", segments.join("/"));
        let Ok(pattern) = RequestPattern::parse(None, Some(&text)) else { return Ok(()) };
        let path = format!("/{}{}", path.join("/"), if slash && !path.is_empty() { "/" } else { "" });
        let split = |text: &str| text[1..].split('/').map(str::to_owned).collect::<Vec<_>>();
        let (segments, parts) = (split(&text), split(&path));
        let borrow = |list: &[String]| list.iter().map(|text| text.clone().leak() as &str).collect::<Vec<_>>();
        prop_assert_eq!(pattern.allows(&Asked::new("GET", &path)), naive(&borrow(&segments), &borrow(&parts)), "{} {}", text, path);
        prop_assert_eq!(RequestPattern::parse(None, Some(pattern.to_string().trim())), Ok(pattern));
    }

    #[test]
    fn what_is_allowed_below_a_directory_is_below_it_for_the_server(
        target in "(/|/v1/)?(\\.|/|%2[eEfF5]|%5[cC]|;|\\\\|%3[bB]|%c0%a[ef]|[av1]|\\?|%20){0,10}"
    ) {
        if allows("GET", "/v1/**", "GET", &target) {
            let read = as_a_server_reads(&target);
            prop_assert!(read == "/v1" || read.starts_with("/v1/"), "{} is {}", target, read);
        }
    }

    #[test]
    fn hostile_text_never_panics_and_never_reaches_the_terminal_raw(
        text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}|[/.*%0-9a-f]{0,20}",
        methods in "\\PC{0,10}|[A-Z,]{0,10}",
    ) {
        let _ = RequestPath::read(&text);
        match RequestPattern::parse(Some(&methods), Some(&text)) {
            Ok(pattern) => { pattern.allows(&Asked::new("GET", &text)); }
            Err(error) => prop_assert!(!error.to_string().contains(char::is_control)),
        }
    }
}

#[test]
fn long_paths_of_stars_take_no_time() {
    let stars = format!("/{}", "*a".repeat(200));
    let deep = format!("/{}z", "**/a/".repeat(200));
    let path = format!("/{}", "a".repeat(8_000));
    let slashes = "/a".repeat(4_000);
    assert!(!allows("", &format!("{stars}b"), "GET", &path));
    assert!(!allows("", &deep, "GET", &slashes));
}
