//! What the gate shows to programs inside: one certificate for each inspected host, made when it is first needed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_policy::host_pattern::Host;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};

use super::{Authority, InspectError, provider};

/// Most hosts whose certificate is kept; about 2 KB each. A rule for all sub-domains lets the inside think up names.
const MOST_KEPT: usize = 256;

/// The certificates made so far, all for one key of the run.
pub(super) struct Leaves {
    authority: Authority,
    key: KeyPair,
    signing: Arc<dyn SigningKey>,
    made: RefCell<HashMap<Host, Arc<ServerConfig>>>,
}

impl Leaves {
    pub(super) fn new(authority: Authority) -> Result<Leaves, InspectError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(InspectError::certificate)?;
        let der = PrivatePkcs8KeyDer::from(key.serialize_der());
        let signing = provider().key_provider.load_private_key(der.into()).map_err(InspectError::certificate)?;
        Ok(Leaves { authority, key, signing, made: RefCell::default() })
    }

    /// How the gate answers as `host`: TLS 1.2 or 1.3, HTTP/1.1 only, no sessions kept, so that none begun for one host
    /// is taken up for another.
    pub(super) fn server(&self, host: &Host) -> Result<Arc<ServerConfig>, InspectError> {
        if let Some(made) = self.made.borrow().get(host) {
            return Ok(made.clone());
        }
        let config = Arc::new(self.make(host)?);
        let mut made = self.made.borrow_mut();
        if made.len() >= MOST_KEPT {
            // Making one takes less than a millisecond; which one goes does not matter.
            made.clear();
        }
        made.insert(host.clone(), config.clone());
        Ok(config)
    }

    fn make(&self, host: &Host) -> Result<ServerConfig, InspectError> {
        let certificate = self.authority.sign(host, &self.key)?;
        let certified = CertifiedKey::new(vec![certificate], self.signing.clone());
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(InspectError::certificate)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![super::HTTP_1.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.made.borrow().len()
    }
}
