//! The texts of the pages, in Norwegian bokmål and in English.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};

use crate::flow::SignatureStatus;

/// The name of the cookie with the chosen language.
pub(super) const COOKIE_NAME: &str = "lang";

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lang {
    Nb,
    En,
}

impl Lang {
    pub(super) fn parse(code: &str) -> Option<Self> {
        match code {
            "nb" | "no" | "nn" => Some(Self::Nb),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The chosen language, or else the one of `Accept-Language`, or else bokmål.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let cookie = text(COOKIE).split(';').filter_map(|pair| pair.trim().split_once('='));
        let cookie = cookie.filter(|(name, _)| *name == COOKIE_NAME).find_map(|(_, value)| Self::parse(value));
        let accepted = text(ACCEPT_LANGUAGE).split(',').find_map(|part| Self::parse(part.trim().get(..2)?));
        cookie.or(accepted).unwrap_or(Self::Nb)
    }

    /// The code for `lang` attributes.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Nb => "nb",
            Self::En => "en",
        }
    }

    pub(super) fn other(self) -> (Self, &'static str) {
        match self {
            Self::Nb => (Self::En, "English"),
            Self::En => (Self::Nb, "Norsk bokmål"),
        }
    }

    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Self::Nb => &NB,
            Self::En => &EN,
        }
    }

    /// A signer's status, in words.
    pub(super) fn status(self, status: &SignatureStatus) -> &str {
        let (nb, en) = match status {
            SignatureStatus::Waiting => ("Venter", "Waiting"),
            SignatureStatus::Rejected => ("Avvist", "Rejected"),
            SignatureStatus::Cancelled => ("Trukket tilbake", "Cancelled"),
            SignatureStatus::Reserved => ("Reservert", "Reserved"),
            SignatureStatus::ContactInformationMissing => ("Mangler kontaktinformasjon", "No contact information"),
            SignatureStatus::Expired => ("Utløpt", "Expired"),
            SignatureStatus::Failed => ("Feilet", "Failed"),
            SignatureStatus::Signed => ("Signert", "Signed"),
            SignatureStatus::Blocked => ("Sperret", "Blocked"),
            SignatureStatus::SignersNameNotAvailable => ("Navn ikke tilgjengelig", "Name not available"),
            SignatureStatus::NotApplicable => ("Ikke aktuelt", "Not applicable"),
            other => (other.as_str(), other.as_str()),
        };
        match self {
            Self::Nb => nb,
            Self::En => en,
        }
    }
}

/// The texts of one language.
pub(super) struct Texts {
    pub(super) skip: &'static str,
    pub(super) sandbox_note: &'static str,
    pub(super) from: &'static str,
    pub(super) sent: &'static str,
    pub(super) to_sign: &'static str,
    pub(super) documents: &'static str,
    pub(super) download: &'static str,
    pub(super) cannot_show: &'static str,
    pub(super) you_sign_as: &'static str,
    pub(super) method: &'static str,
    pub(super) method_name: &'static str,
    pub(super) sign: &'static str,
    pub(super) reject: &'static str,
    pub(super) fail: &'static str,
    pub(super) what_happens: &'static str,
    pub(super) used_title: &'static str,
    pub(super) used_text: &'static str,
    pub(super) expired_title: &'static str,
    pub(super) expired_text: &'static str,
    pub(super) done_title: &'static str,
    pub(super) done_text: &'static str,
    pub(super) not_found: &'static str,
    pub(super) forbidden: &'static str,
    pub(super) log_in: &'static str,
    pub(super) log_in_hint: &'static str,
    pub(super) number_or_code: &'static str,
    pub(super) code: &'static str,
    pub(super) code_hint: &'static str,
    pub(super) wrong_code: &'static str,
    pub(super) log_out: &'static str,
    pub(super) your_jobs: &'static str,
    pub(super) no_jobs: &'static str,
    pub(super) open: &'static str,
    pub(super) not_your_turn: &'static str,
    pub(super) your_turn: &'static str,
    pub(super) inbox: &'static str,
    pub(super) inbox_text: &'static str,
    pub(super) inbox_empty: &'static str,
    pub(super) to: &'static str,
    pub(super) register: &'static str,
    pub(super) invitation: &'static str,
    pub(super) something: &'static str,
    pub(super) with_eid: &'static str,
    pub(super) go_to_invitation: &'static str,
}

const NB: Texts = Texts {
    skip: "Hopp til innholdet",
    sandbox_note: "Sandkasse – ingenting her er bindende",
    from: "Fra",
    sent: "Sendt",
    to_sign: "Til signering",
    documents: "Dokumenter",
    download: "Last ned",
    cannot_show: "Nettleseren kan ikke vise dokumentet her.",
    you_sign_as: "Du signerer som",
    method: "Metode",
    method_name: "Sandkassens eID",
    sign: "Signer",
    reject: "Avvis",
    fail: "La signeringen feile",
    what_happens: "Deretter sendes du tilbake til avsenderen.",
    used_title: "Lenken er brukt",
    used_text: "En signeringslenke virker bare én gang, og bare i nettleseren som åpnet den først. Gå tilbake til avsenderen for å få en ny.",
    expired_title: "Lenken er utløpt",
    expired_text: "En signeringslenke virker bare en begrenset tid. Gå tilbake til avsenderen for å få en ny.",
    done_title: "Her er det ikke mer å gjøre",
    done_text: "Status for din signatur:",
    not_found: "Siden finnes ikke",
    forbidden: "Forespørselen kom ikke fra en side i sandkassen",
    log_in: "Logg inn",
    log_in_hint: "Skriv et fødselsnummer (11 siffer, sandkassens eID) eller koden fra en invitasjon i innboksen.",
    number_or_code: "Fødselsnummer eller kode",
    code: "Kode",
    code_hint: "Koden står i invitasjonen. Etter tre feil koder blir du sperret.",
    wrong_code: "Nummeret eller koden er feil.",
    log_out: "Logg ut",
    your_jobs: "Dine signeringsoppdrag",
    no_jobs: "Du har ingen oppdrag.",
    open: "Åpne",
    not_your_turn: "Andre signerer først",
    your_turn: "Klar for signering",
    inbox: "Innboks",
    inbox_text: "E-post og SMS som sandkassen ville ha sendt.",
    inbox_empty: "Ingenting er sendt ennå.",
    to: "Til",
    register: "adressene i kontaktregisteret",
    invitation: "Du har noe å signere",
    something: "Et dokument venter på signaturen din",
    with_eid: "Logg inn med fødselsnummeret ditt (sandkassens eID).",
    go_to_invitation: "Gå til signering",
};

const EN: Texts = Texts {
    skip: "Skip to content",
    sandbox_note: "Sandbox – nothing here is binding",
    from: "From",
    sent: "Sent",
    to_sign: "To be signed",
    documents: "Documents",
    download: "Download",
    cannot_show: "The browser cannot show the document here.",
    you_sign_as: "You sign as",
    method: "Method",
    method_name: "The sandbox's eID",
    sign: "Sign",
    reject: "Reject",
    fail: "Let the signing fail",
    what_happens: "You are then sent back to the sender.",
    used_title: "This link has been used",
    used_text: "A signing link works once, and only in the browser that opened it first. Go back to the sender to get a new one.",
    expired_title: "This link has expired",
    expired_text: "A signing link works for a limited time. Go back to the sender to get a new one.",
    done_title: "There is nothing left to do here",
    done_text: "The status of your signature:",
    not_found: "There is no such page",
    forbidden: "The request did not come from a page of the sandbox",
    log_in: "Log in",
    log_in_hint: "Enter a personal number (11 digits, the sandbox's eID) or the code of an invitation in the inbox.",
    number_or_code: "Personal number or code",
    code: "Code",
    code_hint: "The code is in the invitation. Three wrong codes block you.",
    wrong_code: "The number or code is wrong.",
    log_out: "Log out",
    your_jobs: "Your signature jobs",
    no_jobs: "You have no jobs.",
    open: "Open",
    not_your_turn: "Others sign first",
    your_turn: "Ready to be signed",
    inbox: "Inbox",
    inbox_text: "E-mail and SMS that the sandbox would have sent.",
    inbox_empty: "Nothing has been sent yet.",
    to: "To",
    register: "the addresses in the contact register",
    invitation: "You have something to sign",
    something: "A document is waiting for your signature",
    with_eid: "Log in with your personal number (the sandbox's eID).",
    go_to_invitation: "Go to signing",
};

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_language_is_the_readers_choice_or_the_browsers() {
        let mut headers = HeaderMap::new();
        assert_eq!(Lang::of(&headers), Lang::Nb);
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("de, en-GB;q=0.8, nb;q=0.5"));
        assert_eq!(Lang::of(&headers), Lang::En);
        headers.insert(COOKIE, HeaderValue::from_static("a=b; lang=nb"));
        assert_eq!(Lang::of(&headers), Lang::Nb);
    }
}
