//! The browser sessions of the web site. Not stored.

use std::collections::HashMap;

use super::signer::SignerIdentity;
use super::token::random_token;

/// All browser sessions.
pub(super) struct Visitors {
    /// The CSRF token of the dashboard and of the log-in form.
    pub(super) csrf: String,
    pub(super) visits: HashMap<String, BrowserVisit>,
    /// Visits, by the token of the redirect URL that began them.
    pub(super) begun: HashMap<String, String>,
    /// Sessions of the portal, by cookie.
    pub(super) sessions: HashMap<String, Session>,
}

/// A signer on the signing page.
pub(super) struct BrowserVisit {
    pub(super) job: i64,
    pub(super) signer: usize,
    /// The value of the cookie.
    pub(super) secret: String,
    pub(super) csrf: String,
}

/// A signer who has logged in to the portal.
pub(super) struct Session {
    pub(super) who: SignerIdentity,
    pub(super) csrf: String,
}

impl Visitors {
    pub(super) fn new() -> Self {
        Self { csrf: random_token(), visits: HashMap::new(), begun: HashMap::new(), sessions: HashMap::new() }
    }

    /// Opens a visit. Returns its ID and the value of its cookie.
    pub(super) fn open(&mut self, job: i64, signer: usize) -> (String, String) {
        let (id, secret) = (random_token(), random_token());
        self.visits.insert(id.clone(), BrowserVisit { job, signer, secret: secret.clone(), csrf: random_token() });
        (id, secret)
    }

    /// Begins a session. Returns the value of its cookie.
    pub(super) fn log_in(&mut self, who: SignerIdentity) -> String {
        let secret = random_token();
        self.sessions.insert(secret.clone(), Session { who, csrf: random_token() });
        secret
    }
}
