//! Any available certificates, in any order: a chain is accepted exactly if a short model accepts it.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, UnixTime};

use super::authority::Authority;
use super::trusted::Trusted;
use super::verifier::ServerVerifier;
use crate::certificate::Certificate;

/// A certificate, and what is known of it without reading it.
struct TestCertificate {
    name: &'static str,
    key: usize,
    issuer: (&'static str, usize),
    is_live: bool,
    der: CertificateDer<'static>,
}

/// Names, keys by number, issuers by name and key, and whether it is live: a world of authorities, good and bad.
const WORLD: &[(&str, usize, (&str, usize), bool)] = &[
    ("Root", 0, ("Root", 0), true),
    // Signed again, with other dates; and expired.
    ("Root", 0, ("Root", 0), true),
    ("Root", 0, ("Root", 0), false),
    ("Issuing", 1, ("Root", 0), true),
    ("Middle", 2, ("Root", 0), true),
    ("Middle", 2, ("Root", 0), false),
    // Cross-signed by another root, and in a circle.
    ("Middle", 2, ("Other", 3), true),
    ("Middle", 2, ("Other issuing", 4), true),
    ("Other", 3, ("Other", 3), true),
    ("Other issuing", 4, ("Other", 3), true),
    ("Other issuing", 4, ("Middle", 2), true),
    // Names of others.
    ("Root", 5, ("Root", 5), true),
    ("Issuing", 6, ("Root", 0), true),
    ("Below", 7, ("Root", 5), true),
    // The root's key under another name.
    ("Alias", 0, ("Alias", 0), true),
    ("Old", 8, ("Root", 0), false),
];

static KEYS: LazyLock<Vec<KeyPair>> = LazyLock::new(|| (0..10).map(|_| KeyPair::generate().expect("a key")).collect());

/// The key of all leaves.
const LEAF: usize = 9;

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn make(name: &'static str, key: usize, issuer: (&'static str, usize), is_live: bool, serial: u64) -> TestCertificate {
    let mut by = CertificateParams::default();
    by.distinguished_name = named(issuer.0);
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.serial_number = Some(serial.into());
    params.not_after = date_time_ymd(if is_live { 2999 } else { 2020 }, 1, 1);
    if key == LEAF {
        params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), "NTRNO-984661185");
    } else {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let der = params.signed_by(&KEYS[key], &Issuer::new(by, &KEYS[issuer.1])).expect("a certificate").der().clone();
    TestCertificate { name, key, issuer, is_live, der }
}

static CERTIFICATES: LazyLock<Vec<TestCertificate>> = LazyLock::new(|| {
    let made =
        WORLD.iter().zip(1..).map(|((name, key, issuer, is_live), serial)| make(name, *key, *issuer, *is_live, serial));
    made.collect()
});

/// One leaf of each authority.
static LEAVES: LazyLock<Vec<TestCertificate>> =
    LazyLock::new(|| WORLD.iter().map(|(name, key, ..)| make("Leaf", LEAF, (name, *key), true, 1)).collect());

/// The authorities that a list may have: by name and key.
const LISTED: [(&str, usize); 4] = [("Root", 0), ("Issuing", 1), ("Other", 3), ("Old", 8)];

/// Whether a chain goes from this certificate to an authority on the list.
fn leads(from: &TestCertificate, list: &[(&str, usize)], at_hand: &[&TestCertificate], depth: usize) -> bool {
    depth > 0
        && at_hand.iter().filter(|one| (one.name, one.key) == from.issuer && one.is_live).any(|one| {
            match list.iter().any(|(name, _)| *name == one.name) {
                true => list.contains(&(one.name, one.key)),
                false => leads(one, list, at_hand, depth - 1),
            }
        })
}

fn verify(list: &[(&str, usize)], leaf: &CertificateDer<'_>, certificates: [&[CertificateDer<'static>]; 3]) -> bool {
    let [sent, own, given] = certificates;
    let authorities: Vec<Authority> = list
        .iter()
        .map(|(name, key)| {
            let of = CERTIFICATES.iter().find(|one| (one.name, one.key) == (*name, *key)).expect("one of that name");
            Authority::of_certificate(&Certificate::parse(&of.der).expect("a certificate"))
        })
        .collect();
    let mut trusted = Trusted::list(&authorities, &[]);
    trusted.given = given.to_vec();
    let posten = "984661185".parse().expect("nine digits");
    ServerVerifier::new(trusted, own, posten).verify(leaf, sent, UnixTime::now()).is_ok()
}

fn ders(of: &[Index]) -> Vec<&'static TestCertificate> {
    of.iter().map(|at| at.get(&CERTIFICATES)).collect()
}

fn bytes(of: &[&TestCertificate]) -> Vec<CertificateDer<'static>> {
    of.iter().map(|one| one.der.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_chain_is_accepted_where_names_keys_and_dates_lead_to_the_list(
        leaf in 0..WORLD.len(),
        list in subsequence(LISTED.to_vec(), 0..=LISTED.len()),
        sent in vec(any::<Index>(), 0..=16),
        own in vec(any::<Index>(), 0..4),
        given in vec(any::<Index>(), 0..4),
    ) {
        let (sent, own, given) = (ders(&sent), ders(&own), ders(&given));
        let leaf = &LEAVES[leaf];
        let at_hand = [&sent[..], &own, &given].concat();
        let expected = leads(leaf, &list, &at_hand, 6);
        let is_accepted = verify(&list, &leaf.der, [&bytes(&sent), &bytes(&own), &bytes(&given)]);
        prop_assert_eq!(is_accepted, expected);
    }

    /// Damage makes no chain better, and panics nowhere.
    #[test]
    fn one_wrong_byte_makes_nobody_trusted(
        leaf in 0..WORLD.len(),
        sent in vec(any::<Index>(), 0..=8),
        damaged in any::<Index>(),
        at in any::<Index>(),
        bit in select(vec![1_u8, 2, 4, 8, 16, 32, 64, 128]),
    ) {
        // Without the one that has expired: its own dates are all that says so.
        let list = &LISTED[..3];
        let sent: Vec<&TestCertificate> = ders(&sent).into_iter().filter(|one| one.is_live).collect();
        let leaf = &LEAVES[leaf];
        let mut chain = vec![leaf.der.clone()];
        chain.extend(bytes(&sent));
        let damaged = damaged.index(chain.len());
        let mut wrong = chain[damaged].to_vec();
        let at = at.index(wrong.len());
        wrong[at] ^= bit;
        chain[damaged] = CertificateDer::from(wrong);
        let is_accepted = verify(list, &chain[0], [&chain[1..], &[], &[]]);
        prop_assert!(!is_accepted || damaged > 0 && leads(leaf, list, &sent, 6));
    }
}

#[test]
fn the_world_has_chains_of_both_kinds() {
    let all: Vec<&TestCertificate> = CERTIFICATES.iter().collect();
    let led: Vec<bool> = LEAVES.iter().map(|leaf| leads(leaf, &LISTED[..2], &all, 6)).collect();
    assert_eq!(led.iter().filter(|is_led| **is_led).count(), 10, "{led:?}");
}
