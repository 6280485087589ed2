//! A host on the outside, with an authority of its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::inspect::provider;

/// How many hosts there were.
static HOSTS: AtomicU32 = AtomicU32::new(0);

/// What the host shows.
#[derive(Clone, Copy)]
pub(super) enum Certificate {
    /// A certificate for this name.
    Good(&'static str),
    /// A certificate for all of these names.
    Many(&'static [&'static str]),
    /// One for this name that held until 2001.
    Expired(&'static str),
}

type Requests = Arc<Mutex<Vec<String>>>;

/// A host that serves.
pub(super) struct Served {
    pub(super) port: u16,
    pub(super) root: CertificateDer<'static>,
    requests: Requests,
}

impl Served {
    /// The heads of all requests so far, in lower case.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream, requests: Requests) {
    // The client may turn away: that is what some tests are about.
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match stream.read_line(&mut head).await {
                Ok(1..) => {}
                _ => return,
            }
        }
        let away = head.starts_with("GET /away");
        requests.lock().unwrap().push(head.to_ascii_lowercase());
        let answer: &[u8] = match away {
            true => b"HTTP/1.1 302 Found\r\nlocation: https://other.example.org/\r\ncontent-length: 0\r\n\r\n",
            false => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        };
        if stream.write_all(answer).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

/// A host.
pub(super) struct TestHost {
    root: CertificateDer<'static>,
    config: Arc<ServerConfig>,
}

impl TestHost {
    pub(super) fn new(certificate: Certificate) -> TestHost {
        let mut params = CertificateParams::default();
        // Two authorities of one name would differ in nothing but their signature.
        let number = HOSTS.fetch_add(1, Ordering::Relaxed);
        params.distinguished_name.push(DnType::CommonName, format!("test authority {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let names = match &certificate {
            Certificate::Good(name) | Certificate::Expired(name) => std::slice::from_ref(name),
            Certificate::Many(names) => *names,
        };
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        if let Certificate::Expired(_) = certificate {
            params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &root).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TestHost { root: root.der().clone(), config: Arc::new(config) }
    }

    /// The certificate of the authority that signed for it.
    pub(super) fn root(&self) -> CertificateDer<'static> {
        self.root.clone()
    }

    /// Serves HTTP over TLS on a port of its own: keeps every request's head, answers `ok`, and on `/away` a redirect.
    pub(super) async fn serve(self) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Requests::default();
        let kept = requests.clone();
        let root = self.root();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(self.acceptor(), stream, kept.clone()));
            }
        });
        Served { port, root, requests }
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }
}
