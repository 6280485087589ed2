//! Whole requests through a running gate: a program inside, the HTTP proxy, inspection, a host.

use std::ffi::OsString;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::JoinHandle;

use bailiwick_policy::credential::{Credential, CredentialSource};
use bailiwick_policy::host_pattern::{AddressRange, HostPattern};
use bailiwick_policy::host_rule::HostRule;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::Ruled;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::host::Served;
use super::*;
use crate::event::{Attempt, AttemptResult};
use crate::serve::{Config, Sockets, serve};
use crate::stop::{Stop, Stopper};

const SECRET: &str = "s3cret-of-the-outside";

/// A running gate.
struct Running {
    proxy: u16,
    bundle: String,
    events: mpsc::Receiver<Attempt>,
    stopper: Option<Stopper>,
    thread: Option<JoinHandle<()>>,
    hosts: std::path::PathBuf,
}

fn ruled<T>(value: T) -> Ruled<T> {
    Ruled { value, origin: Origin { layer: Layer::User, source: Source::Option("test".to_owned()), line: None } }
}

/// A rule for a host at home, where tests have their hosts.
fn rule(text: &str) -> Ruled<HostRule> {
    let addresses = vec![AddressRange::parse("127.0.0.0/8").unwrap()];
    ruled(HostRule { inspect: true, addresses, ..HostRule::read(text).unwrap() })
}

impl Running {
    /// A gate with these rules, and the secret for `api.example.org` on this port, that trusts `root`.
    fn start(rules: &[&str], port: u16, root: CertificateDer<'static>) -> Running {
        let credential = Credential {
            host: HostPattern::parse(&format!("api.example.org:{port}")).unwrap(),
            header: "authorization".to_owned(),
            from: CredentialSource::Env("TOKEN".to_owned()),
            prefix: Some("Bearer ".to_owned()),
        };
        let network = Network {
            allow: rules.iter().map(|text| rule(text)).collect(),
            credentials: vec![ruled(credential)],
            ..Network::default()
        };
        let environment = [(OsString::from("TOKEN"), OsString::from(SECRET))];
        let credentials = Credentials::read(&network.credentials, &environment, Path::new("/")).unwrap();
        let authority = Authority::new("test", &authority::inspected(&network).unwrap()).unwrap();
        let inspection = Inspection::new(authority, vec![root], credentials).unwrap();
        let bundle = inspection.bundle().to_owned();
        let hosts = std::env::temp_dir().join(format!("bailiwick-hosts-{}-{port}", std::process::id()));
        std::fs::write(&hosts, "127.0.0.1 api.example.org other.example.org\n").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = listener.local_addr().unwrap().port();
        let sockets = Sockets { http_proxy: Some(listener), ..Sockets::default() };
        let file = hosts.clone();
        let (stopper, stop) = Stop::channel();
        let (sender, events) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let config = Config { inspection: Some(inspection), hosts: file, ..Config::new(network) };
            let told = move |attempt| sender.send(attempt).unwrap_or_default();
            serve(config, sockets, told, || (), stop).unwrap();
        });
        Running { proxy, bundle, events, stopper: Some(stopper), thread: Some(thread), hosts }
    }

    /// A tunnel of the proxy to this host.
    async fn tunnel(&self, host: &str, port: u16) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.proxy)).await.unwrap();
        let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nhost: {host}:{port}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 39];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 Connection Established\r\n\r\n");
        stream
    }

    /// TLS to this host, as a program inside speaks it.
    async fn secure(&self, host: &str, port: u16) -> TlsStream<TcpStream> {
        let program = program(&self.bundle, rustls::ALL_VERSIONS, &["http/1.1"]);
        let name = ServerName::try_from(host.to_owned()).unwrap();
        program.connect(name, self.tunnel(host, port).await).await.unwrap()
    }

    /// What the gate answers to one request: head and body.
    async fn ask(&self, host: &str, port: u16, request: &str) -> String {
        let mut stream = BufReader::new(self.secure(host, port).await);
        stream.write_all(request.as_bytes()).await.unwrap();
        answer(&mut stream).await
    }

    /// Stops the gate; everything it told.
    fn stop(mut self) -> Vec<Attempt> {
        self.stopper.take().unwrap().stop();
        self.thread.take().unwrap().join().unwrap();
        let _ = std::fs::remove_file(&self.hosts);
        self.events.try_iter().collect()
    }
}

async fn answer(stream: &mut BufReader<TlsStream<TcpStream>>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).await.unwrap() > 0, "the connection ended: {head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8(body).unwrap()
}

async fn api() -> Served {
    TestHost::new(Certificate::Many(&["api.example.org", "other.example.org"])).serve().await
}

/// `GET /path` for this host, with what the inside takes for its token.
fn get(path: &str, host: &str, port: u16) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer placeholder\r\n\r\n")
}

#[tokio::test]
async fn rules_hold_by_method_and_path_and_the_credential_is_put_in_at_the_gate() {
    let host = api().await;
    let port = host.port;
    let gate = Running::start(&[&format!("GET api.example.org:{port}/v1/**")], port, host.root.clone());

    let mut stream = BufReader::new(gate.secure("api.example.org", port).await);
    let mut seen = String::new();
    for path in ["/v1/one", "/v1/two?q=1"] {
        stream.write_all(get(path, "api.example.org", port).as_bytes()).await.unwrap();
        let answer = answer(&mut stream).await;
        assert!(answer.starts_with("http/1.1 200 ok\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
        seen.push_str(&answer);
    }
    for refused in [
        get("/v2/one", "api.example.org", port),
        get("/v1/../v2/one", "api.example.org", port),
        get("/v1/one", "api.example.org", port).replace("GET", "DELETE"),
    ] {
        let answer = gate.ask("api.example.org", port, &refused).await;
        assert!(answer.starts_with("http/1.1 403 "), "{answer}");
        seen.push_str(&answer);
    }
    let elsewhere = gate.ask("api.example.org", port, &get("/v1/one", "other.example.org", port)).await;
    assert!(elsewhere.starts_with("http/1.1 421 "), "{elsewhere}");

    let requests = host.requests();
    assert_eq!(requests.len(), 2, "{requests:?}");
    for request in &requests {
        assert!(request.contains(&format!("authorization: bearer {SECRET}\r\n")), "{request}");
        assert!(!request.contains("placeholder"), "{request}");
    }
    drop(stream);
    let bundle = gate.bundle.clone();
    let events = gate.stop();
    let told = format!("{events:?}");
    for visible in [&seen, &bundle, &told] {
        assert!(!visible.contains(SECRET), "{visible}");
    }
    let refused = events.iter().filter(|event| matches!(event.result, AttemptResult::Refused { .. }));
    let mut refused: Vec<_> = refused.filter_map(|event| event.request.clone()).collect();
    refused.sort();
    assert_eq!(refused.len(), 4, "{events:?}");
}

#[tokio::test]
async fn a_redirect_is_a_new_request_and_takes_no_credential_along() {
    let host = api().await;
    let port = host.port;
    let rules = [format!("api.example.org:{port}"), format!("other.example.org:{port}")];
    let gate = Running::start(&[&rules[0], &rules[1]], port, host.root.clone());
    let away = gate.ask("api.example.org", port, &get("/away", "api.example.org", port)).await;
    assert!(away.starts_with("http/1.1 302 ") && away.contains("location: https://other.example.org/\r\n"), "{away}");
    let other = gate.ask("other.example.org", port, &get("/", "other.example.org", port)).await;
    assert!(other.starts_with("http/1.1 200 "), "{other}");
    let requests = host.requests();
    assert_eq!(requests.len(), 2, "the gate follows no redirect");
    assert!(requests[0].contains(SECRET) && !requests[1].contains(SECRET), "{requests:?}");
    gate.stop();
}

#[tokio::test]
async fn a_host_that_cannot_prove_its_name_gets_nothing() {
    let host = api().await;
    let port = host.port;
    let stranger = TestHost::new(Certificate::Good("api.example.org")).root();
    let gate = Running::start(&[&format!("api.example.org:{port}")], port, stranger);
    let answer = gate.ask("api.example.org", port, &get("/", "api.example.org", port)).await;
    assert!(answer.starts_with("http/1.1 502 ") && answer.contains("its certificate does not hold"), "{answer}");
    assert_eq!(host.requests(), Vec::<String>::new());
    let events = gate.stop();
    let why = events.iter().any(|event| match &event.result {
        AttemptResult::Failed { reason } => reason.contains("`api.example.org` could not be trusted"),
        _ => false,
    });
    assert!(why, "{events:?}");
}

/// What the gate told of a handshake of `program` for `name` on a connection to `api.example.org`, which must fail.
async fn told_of(protocols: &[&str], name: &str) -> AttemptResult {
    let host = api().await;
    let gate = Running::start(&[&format!("api.example.org:{}", host.port)], host.port, host.root.clone());
    let program = program(&gate.bundle, rustls::ALL_VERSIONS, protocols);
    let stream = gate.tunnel("api.example.org", host.port).await;
    program.connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await.unwrap_err();
    assert_eq!(host.requests(), Vec::<String>::new());
    let mut events = gate.stop();
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0).result
}

#[tokio::test]
async fn a_program_that_speaks_only_http_2_is_told_of() {
    let AttemptResult::Failed { reason } = told_of(&["h2"], "api.example.org").await else { panic!() };
    assert!(reason.contains("offers only other protocols"), "{reason}");
}

#[tokio::test]
async fn a_handshake_for_another_host_is_refused() {
    let AttemptResult::Refused { reason, .. } = told_of(&[], "other.example.org").await else { panic!() };
    assert!(reason.contains("`other.example.org`, another host than was allowed"), "{reason}");
}
