//! Who has which page of the web site open. Gone with the sandbox.

use std::collections::HashMap;

use super::signer::SignerIdentity;
use super::token::random_token;

/// Everybody with a page open.
pub(super) struct Visitors {
    /// What the forms of the dashboard and of the log-in carry.
    pub(super) csrf: String,
    pub(super) visits: HashMap<String, BrowserVisit>,
    /// Visits by the redirect URL's own part that began them.
    pub(super) begun: HashMap<String, String>,
    /// Those who have logged in to the portal, by their cookie.
    pub(super) sessions: HashMap<String, Session>,
}

/// A signer with the documents in front of them.
pub(super) struct BrowserVisit {
    pub(super) job: i64,
    pub(super) signer: usize,
    /// What the cookie holds.
    pub(super) secret: String,
    pub(super) csrf: String,
}

/// Somebody who has logged in to the portal.
pub(super) struct Session {
    pub(super) who: SignerIdentity,
    pub(super) csrf: String,
}

impl Visitors {
    pub(super) fn new() -> Self {
        Self { csrf: random_token(), visits: HashMap::new(), begun: HashMap::new(), sessions: HashMap::new() }
    }

    /// Opens a visit. Returns its id and what its cookie holds.
    pub(super) fn open(&mut self, job: i64, signer: usize) -> (String, String) {
        let (id, secret) = (random_token(), random_token());
        self.visits.insert(id.clone(), BrowserVisit { job, signer, secret: secret.clone(), csrf: random_token() });
        (id, secret)
    }

    /// Begins a session. Returns what its cookie holds.
    pub(super) fn log_in(&mut self, who: SignerIdentity) -> String {
        let secret = random_token();
        self.sessions.insert(secret.clone(), Session { who, csrf: random_token() });
        secret
    }
}
