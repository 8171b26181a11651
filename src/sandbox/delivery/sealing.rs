//! The sealer of signed documents: an authority of its own, because the service's seal is not under the API's roots.

use serde::{Deserialize, Serialize};

use super::super::authority::IssuedCertificate;
use super::super::error::SandboxError;
use super::super::profile::{AuthorityNames, AuthorityPair, KeyPurpose, PairKeys, rsa, seal_params, timestamp_params};
use crate::identity::Identity;
use crate::trust::TrustAnchors;

/// The authority of seal and timestamps.
const SEAL: AuthorityNames = AuthorityNames { root: "Sandkasse Seal Root CA", issuing: "Sandkasse Seal CA" };

/// The name in the seal's certificate.
pub(in super::super) const SEAL_NAME: &str = "Posten signering sandkasse";

/// The sealer. No organization has this number, and it is not that of the API's server: nor is the service's
/// seal.
const SEAL_OWNER: (&str, &str) = ("Sandkassen for Posten signering", "000000000");

/// The keys of the seal's authority, as stored across restarts.
#[derive(Serialize, Deserialize)]
pub(in super::super) struct SealKeys(PairKeys);

impl SealKeys {
    pub(in super::super) fn new() -> Result<Self, SandboxError> {
        PairKeys::new(SEAL, |_| ()).map(Self)
    }
}

/// The seal, and the authority that says when something was sealed.
pub(in super::super) struct Sealing {
    pub(super) seal: Identity,
    pub(super) timestamps: Identity,
    authority: AuthorityPair,
}

impl Sealing {
    pub(in super::super) fn new(keys: &SealKeys) -> Result<Self, SandboxError> {
        let authority = AuthorityPair::new(&keys.0, SEAL)?;
        let issue = |params, purpose| {
            let key = rsa(purpose)?;
            IssuedCertificate::new(authority.chain(params, &key)?, key).identity()
        };
        Ok(Self {
            seal: issue(seal_params(SEAL_NAME, SEAL_OWNER.0, SEAL_OWNER.1), KeyPurpose::Seal)?,
            timestamps: issue(timestamp_params("Sandkasse Timestamp Authority"), KeyPurpose::Timestamps)?,
            authority,
        })
    }

    /// The revocation lists of the root and of the issuing authority, in DER.
    pub(super) fn crls(&self) -> &[Vec<u8>; 2] {
        self.authority.crls()
    }

    pub(in super::super) fn root_pem(&self) -> &str {
        self.authority.root_pem()
    }

    pub(in super::super) fn anchors(&self) -> Result<TrustAnchors, SandboxError> {
        TrustAnchors::from_der(self.authority.root()).map_err(|error| SandboxError::Start(error.to_string()))
    }
}
