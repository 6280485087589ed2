//! Real handshakes between a program inside, the gate and a host, each with an authority of its own.

mod host;
mod through;

use std::sync::Arc;

use bailiwick_policy::host_pattern::Host;
use bailiwick_policy::host_rule::HostRule;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::Ruled;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::io::{DuplexStream, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::gate::Target;
use crate::refusal::Refusal;
use host::{Certificate, TestHost};

/// An inspection whose authority may sign for these names and addresses, and that trusts `roots`.
fn inspection(names: &[&str], roots: Vec<CertificateDer<'static>>) -> Inspection {
    let inspected = Inspected { names: names.iter().map(|&name| name.to_owned()).collect(), ..Inspected::default() };
    Inspection::new(Authority::new("test-1", &inspected).unwrap(), roots, Credentials::default()).unwrap()
}

/// A program inside that trusts what the bundle says.
fn program(bundle: &str, versions: &[&'static SupportedProtocolVersion], protocols: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

fn named(text: &str) -> Host {
    Host::parse(text).unwrap()
}

type Ended<S> = Result<S, std::io::Error>;

/// A handshake between `program`, who wants `host`, and the gate as that host.
async fn shake(
    inspection: &Inspection,
    program: TlsConnector,
    host: &str,
) -> (Ended<tokio_rustls::client::TlsStream<DuplexStream>>, Ended<tokio_rustls::server::TlsStream<DuplexStream>>) {
    let (inside, outside) = duplex(64 * 1024);
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let acceptor = TlsAcceptor::from(inspection.leaves.server(&named(host)).unwrap());
    tokio::join!(program.connect(name, inside), acceptor.accept(outside))
}

fn root() -> Vec<CertificateDer<'static>> {
    vec![TestHost::new(Certificate::Good("unused.example")).root()]
}

#[tokio::test]
async fn a_program_that_trusts_the_bundle_trusts_the_gate_for_inspected_hosts() {
    let inspection = inspection(&["api.example.org"], root());
    for (version, expected) in
        [(&rustls::version::TLS12, ProtocolVersion::TLSv1_2), (&rustls::version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        let program = program(inspection.bundle(), &[version], &["h2", "http/1.1"]);
        let (inside, _) = shake(&inspection, program, "api.example.org").await;
        let (_, session) = inside.as_ref().unwrap().get_ref();
        assert_eq!(session.protocol_version(), Some(expected));
        assert_eq!(session.alpn_protocol(), Some(HTTP_1));
    }
}

#[tokio::test]
async fn the_authority_is_good_for_no_other_host_or_address() {
    let inspection = inspection(&["api.example.org"], root());
    for host in ["example.org", "bank.example", "192.0.2.1"] {
        let program = program(inspection.bundle(), rustls::ALL_VERSIONS, &[]);
        let (inside, _) = shake(&inspection, program, host).await;
        let error = inside.unwrap_err().to_string();
        assert!(error.contains("NameConstraintViolation"), "{host}: {error}");
    }
}

#[tokio::test]
async fn addresses_are_inspected_too() {
    let mut inspected = Inspected::default();
    inspected.addresses.push("192.0.2.1/32".parse().unwrap());
    let authority = Authority::new("test-2", &inspected).unwrap();
    let inspection = Inspection::new(authority, root(), Credentials::default()).unwrap();
    let connect = |host| shake(&inspection, program(inspection.bundle(), rustls::ALL_VERSIONS, &[]), host);
    assert!(connect("192.0.2.1").await.0.is_ok());
    for host in ["192.0.2.2", "example.org"] {
        assert!(connect(host).await.0.is_err(), "{host}");
    }
}

#[tokio::test]
async fn why_program_and_gate_did_not_come_together_is_said() {
    let target = Target { host: named("api.example.org"), port: 443 };
    let inspection = inspection(&["api.example.org"], root());
    let stranger = Authority::new("other", &Inspected::default()).unwrap();
    let reason = async |program| match shake(&inspection, program, "api.example.org").await.1 {
        Ok(_) => panic!("accepted"),
        Err(error) => session::refused_by_program(&error, &target),
    };
    let distrusting = program(stranger.certificate_pem(), rustls::ALL_VERSIONS, &[]);
    insta::assert_snapshot!(reason(distrusting).await, @"the program does not trust the authority of this run, which signs for `api.example.org:443` because it is inspected; let the program use the certificates in the file that SSL_CERT_FILE names inside");
    let modern = program(inspection.bundle(), rustls::ALL_VERSIONS, &["h2"]);
    insta::assert_snapshot!(reason(modern).await, @"`api.example.org:443` is inspected, which the gate can do for HTTP/1.1, and the program offers only other protocols; let it use HTTP/1.1, or remove `inspect = true` from the rule");

    let (inside, outside) = duplex(1024);
    drop(inside);
    let acceptor = TlsAcceptor::from(inspection.leaves.server(&target.host).unwrap());
    let error = acceptor.accept(outside).await.map(|_| ()).unwrap_err();
    insta::assert_snapshot!(session::refused_by_program(&error, &target), @"the program ended the TLS handshake for `api.example.org:443`; perhaps it does not trust the authority of this run, whose certificate is in the file that SSL_CERT_FILE names inside (tls handshake eof)");
}

#[tokio::test]
async fn certificates_are_made_once_and_kept_within_a_bound() {
    let inspection = inspection(&["example.org"], root());
    let one = inspection.leaves.server(&named("a.example.org")).unwrap();
    assert!(Arc::ptr_eq(&one, &inspection.leaves.server(&named("a.example.org")).unwrap()));
    for number in 0..600 {
        inspection.leaves.server(&named(&format!("{number}.example.org"))).unwrap();
        assert!(inspection.leaves.kept() <= 256);
    }
}

/// The gate as the client of `host`, as `api.example.org`, trusting `trusted`.
async fn secured(host: &TestHost, trusted: CertificateDer<'static>) -> Result<(), Refusal> {
    let inspection = inspection(&["api.example.org"], vec![trusted]);
    let (here, there) = duplex(64 * 1024);
    let wanted = named("api.example.org");
    let (secured, _) = tokio::join!(inspection.trust.secure(&wanted, here), host.acceptor().accept(there));
    secured.map(|_| ())
}

#[tokio::test]
async fn an_upstream_must_be_the_host_that_was_named() {
    let host = |certificate| TestHost::new(certificate);
    let good = host(Certificate::Good("api.example.org"));
    secured(&good, good.root()).await.unwrap();

    let stranger = host(Certificate::Good("api.example.org"));
    insta::assert_snapshot!(secured(&stranger, good.root()).await.unwrap_err(), @"`api.example.org` could not be trusted: its certificate does not hold: no authority that this machine trusts has signed it (SSL_CERT_FILE, set where bailiwick is started, names others)");
    let other = host(Certificate::Good("www.example.org"));
    insta::assert_snapshot!(secured(&other, other.root()).await.unwrap_err(), @r#"`api.example.org` could not be trusted: its certificate does not hold: certificate not valid for name "api.example.org"; certificate is only valid for DnsName("www.example.org")"#);
    let expired = host(Certificate::Expired("api.example.org"));
    let why = secured(&expired, expired.root()).await.unwrap_err().to_string();
    let expected = "`api.example.org` could not be trusted: its certificate does not hold: certificate expired";
    assert!(why.starts_with(expected), "{why}");
}

#[tokio::test]
async fn a_certificate_with_many_names_makes_no_long_message() {
    let names: Vec<&'static str> = (0..500).map(|at| &*format!("host-{at}.example").leak()).collect();
    let crowded = TestHost::new(Certificate::Many(names.leak()));
    let message = secured(&crowded, crowded.root()).await.unwrap_err().to_string();
    assert!(message.contains("host-0.example") && message.len() < 600, "{message}");
}

#[test]
fn a_policy_that_inspects_nothing_prepares_nothing() {
    let prepared = Inspection::prepare(&Network::default(), "run", &[], Path::new("/")).unwrap();
    assert!(prepared.is_none());
}

#[test]
fn what_the_administrators_list_inspects_is_inspected() {
    let rule = |text: &str, inspect| Ruled {
        value: HostRule { inspect, ..HostRule::read(text).unwrap() },
        origin: Origin { layer: Layer::Administrator, source: Source::Option("test".to_owned()), line: None },
    };
    let allow = vec![rule("a.example", true), rule("*.b.example", false), rule("10.0.0.0/8:443", true)];
    let mut network = Network { allow, ceiling: Some(vec![rule("**.c.example", true)]), ..Network::default() };
    let expected = Inspected {
        names: vec!["a.example".to_owned(), "c.example".to_owned()],
        addresses: vec!["10.0.0.0/8".parse().unwrap()],
        any: false,
    };
    assert_eq!(authority::inspected(&network), Some(expected));
    network.allow.push(rule("*", true));
    assert!(authority::inspected(&network).unwrap().any);
    assert_eq!(authority::inspected(&Network { allow: vec![rule("a.example", false)], ..Network::default() }), None);
}

#[test]
fn the_certificate_of_the_authority_says_what_it_is_and_nothing_prints_its_key() {
    let inspection = inspection(&["api.example.org"], root());
    assert_eq!(format!("{inspection:?}"), "Inspection");
    assert!(!inspection.bundle().contains("PRIVATE"));
    let authority = Authority::new("run\u{1b}[2J-7", &Inspected::default()).unwrap();
    let der = CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).unwrap();
    let holds = |text: &str| der.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("bailiwick run run2J-7"));
    assert_eq!(format!("{authority:?}"), "Authority");
}
