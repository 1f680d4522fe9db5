//! TLS for the server: a certificate chain and its key from PEM files.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// What accepts TLS connections with the certificates in `cert` and the private key in `key`, for HTTP/2 and HTTP/1.1.
///
/// # Errors
/// A file cannot be read or is not PEM, holds nothing, or the key does not belong to the certificate.
pub fn acceptor(cert: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let certificates = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.with_context(|| format!("--tls-cert {}", cert.display()))?;
    ensure!(!certificates.is_empty(), "--tls-cert {}: no certificate in it", cert.display());
    let private = PrivateKeyDer::from_pem_file(key);
    let private = private.with_context(|| format!("--tls-key {}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .context("--tls-cert and --tls-key do not fit together")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
