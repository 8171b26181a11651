//! The rules of the values that a user makes, tried on any text.

use std::str::FromStr;

use posten_signering::{
    Description, Document, EmailAddress, ExitUrls, InvalidValue, JobId, MobileNumber, OrganizationNumber,
    PersonalIdentificationNumber, PollingQueue, Reference, Rule, SignerIdentifier, StatusQueryToken, Title,
};
use proptest::prelude::*;

/// Whether XML 1.0 can carry a character (production 2 of its grammar).
fn is_xml(c: char) -> bool {
    matches!(u32::from(c), 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x10000..=0x10FFFF)
}

/// Texts around the limits, of characters around the rules.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        8 => prop::char::range(' ', '~'),
        1 => prop::sample::select(vec!['\0', '\t', '\r', '\n', '\u{7f}', '\u{fffe}', 'æ', '😀', '\u{301}']),
        1 => any::<char>(),
    ];
    let length = prop_oneof![0_usize..5, 45_usize..55, 75_usize..85, 95_usize..105, 215_usize..225, 395_usize..405];
    length.prop_flat_map(move |length| prop::collection::vec(character.clone(), length)).prop_map(String::from_iter)
}

/// A text type takes exactly what its length and XML allow, keeps it, and shows it to nobody if it is secret.
fn follows<T>(text: &str, lengths: std::ops::RangeInclusive<usize>, as_str: impl Fn(&T) -> &str, is_secret: bool)
where
    T: FromStr<Err = InvalidValue> + std::fmt::Debug,
{
    // As any reader of XML would have it.
    let expected = text.replace("\r\n", "\n").replace('\r', "\n");
    let is_long = !lengths.contains(&expected.chars().count());
    match text.parse::<T>() {
        Ok(value) => {
            assert!(!is_long && expected.chars().all(is_xml), "{text:?}");
            assert_eq!(as_str(&value), expected);
            let shown = format!("{value:?}");
            assert!(!is_secret || shown.ends_with("(***)"), "{shown}");
        }
        Err(error) => match error.rule() {
            Rule::Length { actual, .. } => assert!(is_long && *actual == expected.chars().count(), "{text:?}"),
            Rule::XmlCharacters => assert!(!is_long && !expected.chars().all(is_xml), "{text:?}"),
            rule => panic!("{text:?}: {rule}"),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn texts(text in text()) {
        follows::<Title>(&text, 1..=80, Title::as_str, true);
        follows::<Description>(&text, 0..=220, Description::as_str, true);
        follows::<Reference>(&text, 0..=50, Reference::as_str, false);
        follows::<SignerIdentifier>(&text, 1..=80, SignerIdentifier::as_str, true);
        follows::<StatusQueryToken>(&text, 1..=400, StatusQueryToken::as_str, true);
    }

    #[test]
    fn queues(text in text()) {
        if let Ok(queue) = PollingQueue::named(&text) {
            prop_assert!((1..=100).contains(&queue.name().unwrap().chars().count()));
        }
    }

    #[test]
    fn numbers(text in prop_oneof!["[0-9]{0,20}", "[0-9 +-]{9,11}", ".{0,12}"]) {
        let is_digits = |count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        prop_assert_eq!(text.parse::<OrganizationNumber>().is_ok(), is_digits(9));
        let number = text.parse::<PersonalIdentificationNumber>();
        prop_assert_eq!(number.is_ok(), is_digits(11));
        if let Ok(number) = number {
            let shown = format!("{number:?}");
            prop_assert!(!shown.contains(&text));
        }
        if let Ok(id) = text.parse::<JobId>() {
            prop_assert_eq!(id.to_string().parse::<JobId>().unwrap(), id);
            prop_assert!(id.get() >= 0);
        }
    }

    #[test]
    fn addresses(local in "[^@\\s\\p{C}]{1,20}", domain in "[^@\\s\\p{C}]{1,20}", white in prop::sample::select(vec![' ', '\n', '\t'])) {
        let address = format!("{local}@{domain}");
        let parsed: EmailAddress = address.parse().unwrap();
        prop_assert_eq!(parsed.as_str(), &address);
        let shown = format!("{parsed:?}");
        prop_assert!(!shown.contains(&address));
        for bad in [local.clone(), format!("{local}@"), format!("@{domain}"), format!("{address}@x"), format!("{local}{white}@{domain}")] {
            prop_assert!(bad.parse::<EmailAddress>().is_err(), "{}", bad);
        }
    }

    #[test]
    fn mobile_numbers(text in prop_oneof!["[+]?[0-9 ]{0,20}", ".{0,15}"]) {
        if let Ok(number) = text.parse::<MobileNumber>() {
            let digits = number.as_str().strip_prefix('+').unwrap_or(number.as_str());
            prop_assert!((5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
            prop_assert_eq!(number.as_str(), text.replace(' ', ""));
        }
    }

    #[test]
    fn exit_urls(text in prop_oneof![".{0,40}", "https?://[a-z.:/?#@%0-9]{0,500}"]) {
        let good = "https://me.example/";
        if ExitUrls::builder().completion(text.as_str()).rejection(good).error(good).build().is_ok() {
            // Any scheme, that of an app too, but for what a browser would run.
            let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).unwrap_or_default();
            prop_assert!(!["", "javascript", "data", "vbscript"].contains(&scheme.as_str()), "{}", text);
            prop_assert!(!text.contains(char::is_whitespace), "{}", text);
            prop_assert!(text.chars().count() <= 500);
        }
    }

    #[test]
    fn documents(content in prop::collection::vec(any::<u8>(), 0..2000), header in any::<bool>()) {
        let content = if header { [b"%PDF-1.7\n".as_slice(), &content].concat() } else { content };
        if let Ok(document) = Document::pdf("Avtale", content.clone()) {
            prop_assert_eq!(document.bytes().unwrap(), &content[..]);
            prop_assert!(content.windows(5).take(1024).any(|window| window == b"%PDF-"));
        }
    }
}
