use super::*;

fn read(text: &str) -> HostRule {
    HostRule::read(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn methods_stand_in_front_and_paths_behind() {
    for (text, host, requests) in [
        ("example.org", "example.org", None),
        ("GET Example.org.", "example.org", Some("GET")),
        ("GET,HEAD example.org:8443/v1/**", "example.org:8443", Some("GET,HEAD /v1/**")),
        ("example.org/v1/**", "example.org", Some("/v1/**")),
        ("*.example.org/a", "*.example.org", Some("/a")),
        ("GET [2001:db8::1]:443/a", "[2001:db8::1]:443", Some("GET /a")),
        ("10.0.0.0/8:5432", "10.0.0.0/8:5432", None),
        ("[2001:db8::]/32", "[2001:db8::]/32", None),
        ("GET 10.0.0.1/8", "10.0.0.1", Some("GET /8")),
        ("10.0.0.1/v1", "10.0.0.1", Some("/v1")),
        ("*", "*", None),
    ] {
        let rule = read(text);
        assert_eq!(rule.pattern.to_string(), host, "{text}");
        assert_eq!(
            rule.requests.as_ref().map(|requests| requests.to_string().trim().to_owned()).as_deref(),
            requests,
            "{text}"
        );
        assert_eq!(read(&rule.text()), rule, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let said: Vec<String> = [
        "https://example.org/a",
        "GET https://example.org/a",
        "GET  example.org/a",
        "get example.org",
        "GET example.org/a b",
        "GET, HEAD example.org",
        "GET /a",
        "example.org?a",
        "10.0.0.1/8",
        "GET example.org/v1/**",
        "example.org/",
        "user@example.org/a",
        "POST example.org:443/a",
    ]
    .map(|text| match HostRule::parse(text) {
        Ok(rule) => panic!("{text} was taken for {rule:?}"),
        Err(error) => format!("{text:?}: {error}"),
    })
    .into();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn parts_that_contradict_each_other_are_refused() {
    assert_eq!(HostRule::parse("GET example.org:80/a").unwrap().to_string(), "GET example.org:80/a");
    let opaque = |rule: HostRule| HostRule { opaque: true, ..rule }.check();
    assert!(opaque(read("example.org:9418")).is_ok());
    assert_eq!(opaque(read("GET example.org:80/a")), Err(HostRuleError::OpaqueAndLookedAt));
    assert_eq!(opaque(HostRule { inspect: true, ..read("example.org") }), Err(HostRuleError::OpaqueAndLookedAt));
    let inspected =
        HostRule { inspect: true, addresses: vec![AddressRange::parse("10.0.0.0/8").unwrap()], ..read("GET a.org/b") };
    assert_eq!(
        inspected.check().unwrap().to_string(),
        r#"{ host = "GET a.org/b", inspect = true, addresses = ["10.0.0.0/8"] }"#
    );
}
