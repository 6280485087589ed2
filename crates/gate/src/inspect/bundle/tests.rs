use rustls::pki_types::pem::PemObject;

use super::*;
use crate::inspect::Inspected;

#[test]
fn pem_reads_back_as_what_was_written() {
    for length in [0, 1, 2, 3, 47, 48, 49, 1000] {
        let der: Vec<u8> = (0..length).map(|at| (at * 7 + length) as u8).collect();
        let read = CertificateDer::from_pem_slice(pem(&der).as_bytes()).unwrap();
        assert_eq!(read.as_ref(), der, "{length} bytes");
    }
}

#[test]
fn the_bundle_has_the_roots_of_the_host_and_then_the_authority() {
    let root = Authority::new("host", &Inspected::default()).unwrap();
    let run = Authority::new("run", &Inspected::default()).unwrap();
    let der = CertificateDer::from_pem_slice(root.certificate_pem().as_bytes()).unwrap();
    assert_eq!(text(&[der], &run), [root.certificate_pem(), run.certificate_pem()].concat());
}

#[test]
fn every_variable_names_the_bundle() {
    let variables = environment(Path::new("/etc/bailiwick/ca.pem"));
    assert!(variables.iter().all(|(_, value)| value == "/etc/bailiwick/ca.pem"));
    let names: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
    insta::assert_snapshot!(names.join(" "), @"SSL_CERT_FILE CURL_CA_BUNDLE GIT_SSL_CAINFO REQUESTS_CA_BUNDLE PIP_CERT NODE_EXTRA_CA_CERTS NPM_CONFIG_CAFILE CARGO_HTTP_CAINFO AWS_CA_BUNDLE DENO_CERT");
}
